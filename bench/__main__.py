"""All figures, one after the other: `python -m bench`, or `python -m bench pages` for some of them."""

import importlib
import sys

PARTS = ("pages", "ledger", "log", "books", "replay", "memory")

for part in sys.argv[1:] or PARTS:
    print(f"\n== {part}", flush=True)
    importlib.import_module(f"bench.{part}").main()
