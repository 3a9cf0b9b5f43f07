"""Work for later of the part `neighbourhoods`."""
