"""Work for later of the part `notifications`."""
