"""People: who they are, how they sign in, and in what capacity the fund lets its own people act.

Words: *person* (whoever can read an e-mail address), *sign-in request* (a letter with a link and a code), *session*
(one device that is signed in), *capacity* (officer, approver, authoriser or trustee; a person has at most one).

There are no passwords. Seats of panels belong to `panels`, membership of a group to `organisations`. Nothing permanent
refers to a person by more than a bare id, so that a person can be erased.
"""
