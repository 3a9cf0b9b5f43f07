"""Ids: random and meaningless for rows, short and readable for people."""

import secrets
import uuid

# No 0/O, 1/I/L, U/V, 5/S, 8/B: a reference is read over the telephone.
ALPHABET = "23467ACDEFGHJKMNPQRTWXYZ"


def new_id() -> uuid.UUID:
    """A random id that says nothing about what it names or when it was made."""
    return uuid.uuid4()


def new_reference(prefix: str, length: int = 8) -> str:
    """A reference for people, as `APP-7KQ2-MW4D`: 24^8 of them, so guessing one is hopeless and clashes are rare."""
    letters = "".join(secrets.choice(ALPHABET) for _ in range(length))
    return f"{prefix}-" + "-".join(letters[i : i + 4] for i in range(0, length, 4))
