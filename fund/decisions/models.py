"""Tables of the part `decisions`."""
