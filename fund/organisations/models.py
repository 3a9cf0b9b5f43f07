"""Tables of the part `organisations`."""
