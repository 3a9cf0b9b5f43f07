"""Payment files to the bank and what the bank answers: which releases to send, never whether they may be paid.

Words: *batch* (the frozen list of releases that goes out in one file), *authorise* (a third person's press of the
button, over the total and the hash on their screen), *payment file* (pain.001), *statement line* (one movement that the
bank booked), *match* (a line and the release that it settles or brings back, found by reference alone).

It never decides that a stage may be paid, never matches by amount, and never sends a file twice by itself.
"""
