"""Work for later of the part `allocations`."""
