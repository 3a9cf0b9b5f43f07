"""Work for later of the part `rounds`."""
