"""Tables of the part `people`."""
