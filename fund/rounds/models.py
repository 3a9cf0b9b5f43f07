"""Tables of the part `rounds`."""
