"""Work for later of the part `applications`."""
