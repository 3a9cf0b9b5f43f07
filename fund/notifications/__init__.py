"""Messages to people: a row and a job in the transaction of what they tell, and the letter itself after the commit.

Words: *message* (one letter to one address), *template* (its words in English and Welsh, under `templates/email/`).
It decides nothing about who is told what: other parts do. A message with the same key is sent once.
"""
