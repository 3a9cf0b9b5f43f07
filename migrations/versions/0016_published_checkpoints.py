"""Which checkpoints of the log were published: what pages show of it. The published files are the truth, not this."""

from alembic import op

revision = "0016"
down_revision = "0015"


def upgrade() -> None:
    """One row a checkpoint, never changed; it covers leaves that are there."""
    op.execute("""
    CREATE TABLE published_checkpoint (
      size         bigint NOT NULL CONSTRAINT pk_published_checkpoint PRIMARY KEY
                     CONSTRAINT ck_published_checkpoint_size CHECK (size > 0),
      last_seq     bigint NOT NULL GENERATED ALWAYS AS (size - 1) STORED
                     CONSTRAINT fk_published_checkpoint_leaf REFERENCES log.leaf (seq),
      root         bytea NOT NULL CONSTRAINT ck_published_checkpoint_root CHECK (octet_length(root) = 32),
      cosigned_by  text[] NOT NULL,
      published_at timestamptz NOT NULL DEFAULT clock_timestamp()
    );
    CREATE TRIGGER append_only BEFORE UPDATE OR DELETE ON published_checkpoint
      FOR EACH ROW EXECUTE FUNCTION public.refuse_change();
    CREATE TRIGGER append_only_all BEFORE TRUNCATE ON published_checkpoint EXECUTE FUNCTION public.refuse_change();
    GRANT SELECT, INSERT ON published_checkpoint TO fund_common;
    """)


def downgrade() -> None:
    """Take it away."""
    op.execute("DROP TABLE published_checkpoint")
