"""Tables of the part `panels`."""
