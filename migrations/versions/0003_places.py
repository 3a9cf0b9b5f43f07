"""To be written: places."""

from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    """The one table that other parts point at; the rest of this part follows in this file."""
    op.execute("""
    CREATE TABLE neighbourhood (
      id   uuid PRIMARY KEY,
      code text NOT NULL CONSTRAINT uq_neighbourhood_code UNIQUE,
      slug text NOT NULL CONSTRAINT uq_neighbourhood_slug UNIQUE,
      name text NOT NULL
    );
    GRANT SELECT, INSERT ON neighbourhood TO fund_common;
    """)


def downgrade() -> None:
    """Take it away."""
    op.execute("DROP TABLE neighbourhood")
