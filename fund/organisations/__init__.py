"""Groups and organisations: who they are, who acts for them, where their money goes, and what was checked.

Words: *organisation* (any group; "a few people" with no constitution is the kind `informal`), *membership* (a person
acts for it, and may sign or not), *check* (an officer looked at identity, account or sanctions, from a named source,
until a day), *host* (an organisation that receives money for a group without an account). An account's number is kept
sealed and shown by its last four digits. It knows nothing of applications or grants, and it never pays.
"""
