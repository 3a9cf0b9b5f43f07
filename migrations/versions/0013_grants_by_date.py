"""Grants in the order of their offers: the list from which staff follow the payments is paged by this key."""

from alembic import op

revision = "0013"
down_revision = "0012"


def upgrade() -> None:
    """An index for each way through the list."""
    op.execute("CREATE INDEX ix_award_offered ON award (offered_at, id)")


def downgrade() -> None:
    """Take it away."""
    op.execute("DROP INDEX ix_award_offered")
