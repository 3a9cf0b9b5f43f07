"""Tables of the part `notifications`."""
