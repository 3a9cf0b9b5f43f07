"""Tables of the part `grants`."""
