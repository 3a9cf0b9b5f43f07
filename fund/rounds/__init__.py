"""Rounds: calls for applications in one neighbourhood, with criteria, rules and form. Published once, never changed.

Words: *round* (a call; without a closing date it is always open and decided in sittings), *criterion* (what readers
score, with its weight), *form* (the questions, published in versions). It knows nothing of who applies.
"""
