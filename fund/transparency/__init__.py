"""The public record: who did what, and the append-only log that anybody can check.

Words: *act* (one thing somebody did, in what capacity, to what), *leaf* (one published line of the log, as stored
bytes), *checkpoint* (the signed size and root), *proof*. It knows nothing of money, and never changes or removes a row.
"""
