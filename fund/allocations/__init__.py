"""Sharing a pot out among neighbourhoods by need, with a floor, by a published rule.

Words: *pot* (what is shared out), *floor* (what every place gets first), *weight* (a place's residents times their
need), *run* (one sharing-out), *allocation* (one place's share: delegated to its panel for ten years). Places never
compete: a share depends on nobody's words, and once delegated it is never lowered. It decides nothing about grants.
"""
