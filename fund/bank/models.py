"""Tables of the part `bank`."""
