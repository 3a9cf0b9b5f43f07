"""endowment."""
