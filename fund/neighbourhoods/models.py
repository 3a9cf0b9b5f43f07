"""Tables of the part `neighbourhoods`."""
