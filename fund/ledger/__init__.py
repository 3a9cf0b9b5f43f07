"""The permanent ledger: accounts, entries and the transfers that they are made of.

Words: *account* (a purse with a code, such as `4000/E05000650`), *transfer* or *line* (one debit account, one credit
account, a positive number of pence), *entry* (one or more lines that stand together, and one leaf of the public log),
*reservation* (a pending line that is later posted or voided, once). An entry is never changed or removed; a mistake is
mirrored by a reversal. Nothing here decides whether money should move: it keeps what moved, and refuses what cannot.
"""
