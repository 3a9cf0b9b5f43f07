"""A rehearsal: every grant of a published 360Giving file, driven through the same actions that the pages call.

Words: *row* (a grant's place in the file, from 1), *step* (one transaction of one grant), *unposted* (what of the file
no ledger can hold, listed with its reason and pence). A rehearsal is a fund of its own, in a database of its own, with
its own log origin; every page, file and e-mail of it says so. It imports actions only: it can do nothing that a page
cannot.
"""
