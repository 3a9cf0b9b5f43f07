"""Work for later of the part `people`."""
