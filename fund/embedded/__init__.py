"""The zero-set-up PostgreSQL, Valkey and S3 that `make run` starts, and the supervisor that keeps them.

Only the command line imports it. Everything else of the fund knows addresses, and cannot tell an embedded part from a
managed one. It is for one machine: every part listens on loopback or a Unix socket and trusts whoever reaches it.
"""
