"""Work for later of the part `documents`."""
