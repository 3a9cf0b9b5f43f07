"""Figures, each beside its floor in the same run. `make bench` prints them; no timing decides a test."""
