"""Tables of the part `documents`."""
