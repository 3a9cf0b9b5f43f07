"""Money, time, ids, actors, reasons and errors: the words every other part is written in.

It knows Python's library and nothing else: no database, no web, no settings.
"""
