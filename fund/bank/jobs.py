"""Work for later of the part `bank`."""
