"""Tables of the part `ledger`."""
