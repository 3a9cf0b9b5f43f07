"""The residents who read, score and decide: panels, seats, sittings, readers, interests, scores and locks.

Words: *panel* (nine residents and neighbours of one place), *seat* (one member's place on it, with a term), *sitting*
(the applications that a panel decides together), *reader* (a seat to whom an application is assigned), *interest*
(what ties a member to an application, in everyday words, each with its consequence), *lock* (a reader's scores stand),
*release* (a reader lets the panel go on without them).

What a member says can be written in the database role `fund_panel` alone and only as themselves; migration 0008 repeats
every rule. No code here serves staff, and none of it changes or removes a score.
"""
