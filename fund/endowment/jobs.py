"""Work for later of the part `endowment`."""
