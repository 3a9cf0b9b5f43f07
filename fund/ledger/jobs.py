"""Work for later of the part `ledger`."""
