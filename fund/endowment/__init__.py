"""The endowment: what came in from dormant assets, what it earns, and how much of that may be spent in a year.

Words: *tranche* (one payment of dormant assets, capital for ever), *return* (income, gains and losses of the whole
endowment together), *spending limit* (what the published rule lets a year spend), *drawdown* (part of the limit made
spendable). It is one pooled fund: a pound spent comes from the whole of it, never from one tranche. Nothing here can
spend capital; what moves is decided by the ledger's posting matrix and its guards.
"""
