"""Tables of the part `allocations`."""
