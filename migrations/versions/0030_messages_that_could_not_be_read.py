"""What the bank sent and we could not read is kept as it came, for people to see, and tried again.

All that the bank had for us was read in one transaction: one message that was refused kept all of them unread, at
every run, and nobody was told. Now each is read by itself.
"""

from alembic import op

revision = "0030"
down_revision = "0029"


def upgrade() -> None:
    """The messages that were not read, and those of them that were read after all."""
    op.execute("""
    CREATE TABLE unread_message (
      sha256      bytea CONSTRAINT pk_unread_message PRIMARY KEY GENERATED ALWAYS AS (sha256(bytes)) STORED,
      bytes       bytea NOT NULL,
      why         text NOT NULL CONSTRAINT ck_unread_message_why CHECK (length(btrim(why)) > 0),
      received_at timestamptz NOT NULL DEFAULT clock_timestamp()
    );
    CREATE TABLE unread_message_end (
      sha256  bytea CONSTRAINT pk_unread_message_end PRIMARY KEY
                CONSTRAINT fk_unread_message_end_message REFERENCES unread_message,
      read_at timestamptz NOT NULL DEFAULT clock_timestamp()
    );
    """)
    for table in ("unread_message", "unread_message_end"):
        op.execute(f"""
        CREATE TRIGGER append_only BEFORE UPDATE OR DELETE ON {table}
          FOR EACH ROW EXECUTE FUNCTION refuse_change();
        CREATE TRIGGER append_only_all BEFORE TRUNCATE ON {table} EXECUTE FUNCTION refuse_change();
        GRANT SELECT, INSERT ON {table} TO fund_common;
        """)


def downgrade() -> None:
    """Without them."""
    op.execute("DROP TABLE unread_message_end, unread_message")
