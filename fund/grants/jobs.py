"""Work for later of the part `grants`."""
