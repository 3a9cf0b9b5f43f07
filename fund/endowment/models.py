"""Tables of the part `endowment`."""
