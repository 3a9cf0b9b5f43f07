"""Applications: drafts that never get lost, the one submission that is frozen, and whether it may go to the panel.

Words: *application* (the draft, while it may change), *submission* (the frozen copy with its hash: the panel reads this
and nothing else), *eligibility* (an officer says that it may go to the panel, or gives one listed reason why not).
Staff can read applications and never change one. What the panel does with it is the part `panels`.
"""
