"""How far a rehearsal has come: one row a step, written in the step's own transaction.

Killed anywhere and run again, it goes on after the last step that stands, so no grant is driven twice.
"""

from alembic import op

revision = "0012"
down_revision = "0011"


def upgrade() -> None:
    """A step is named by the file, the row of the grant (0: before the first) and what was done."""
    op.execute("""
    CREATE TABLE rehearsal_step (
      file_sha256 bytea NOT NULL CONSTRAINT ck_rehearsal_step_file CHECK (octet_length(file_sha256) = 32),
      row         integer NOT NULL,
      step        text NOT NULL,
      made        jsonb NOT NULL DEFAULT '{}',
      calls       jsonb NOT NULL DEFAULT '{}',
      at          timestamptz NOT NULL DEFAULT clock_timestamp(),
      CONSTRAINT pk_rehearsal_step PRIMARY KEY (file_sha256, row, step)
    );
    GRANT SELECT, INSERT ON rehearsal_step TO fund_common;
    """)


def downgrade() -> None:
    """Take it away."""
    op.execute("DROP TABLE rehearsal_step")
