"""Work for later of the part `organisations`."""
