"""Tables of the part `applications`."""
