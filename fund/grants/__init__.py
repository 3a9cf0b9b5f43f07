"""Grants: the offer, the agreement, whose account the money goes to, its stages, their evidence, and their release.

Words: *award* (what a panel's decision gives), *offer* (until the group signs it or it lapses), *agreement* (the signed
offer with its spending plan), *payee* (the group itself or the host that receives money for it), *stage* (a part of the
award with its own date and basis), *evidence* (what the group shows for a stage), *release* (the instruction to pay one
stage, made once and never changed), *end* of a release (settled, refused, returned or withdrawn).

Four pairs of hands: the group shows, one officer accepts, a second person approves, a third authorises the batch. The
tables refuse anything else. It never decides who is awarded, and never talks to the bank.
"""
