"""Work for later of the part `decisions`."""
