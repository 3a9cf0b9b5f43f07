"""Work for later of the part `panels`."""
