"""The demo fund: invented people and groups in real places, each at a different step of the line.

It is loaded once, on a first start, through the same actions as the pages call. Production refuses to start while any
of its people is in the database.
"""
