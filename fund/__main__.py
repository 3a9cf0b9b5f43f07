"""Lets `python -m fund` do what the `fund` command does."""

from fund.cli import main

main()
