"""How a panel decides: who takes part, its agreed reasons, the published rule, the closing of a sitting.

Closing is one transaction: the chair's press, the seed of the lot revealed, one decision for each application exactly
as the rule gives it. The database computes the rule again by itself (migration 0009) and refuses any other row. A
decision stands for ever; this part never changes one, and knows nothing of how it is paid.
"""
