"""A limit is set when the year before has ended, because the rule takes the value at its end, and within its own year.

Asked of every limit from now on; those that stand are not looked at again.
"""

from alembic import op

revision = "0020"
down_revision = "0019"


def upgrade() -> None:
    """The day of a limit lies between the end of the year before and the end of its own."""
    op.execute("""
    ALTER TABLE spending_limit ADD CONSTRAINT ck_spending_limit_in_its_year CHECK (
      set_on BETWEEN make_date(left(financial_year, 4)::int, 3, 31)
                 AND make_date(left(financial_year, 4)::int + 1, 3, 31)) NOT VALID
    """)


def downgrade() -> None:
    """Take it away."""
    op.execute("ALTER TABLE spending_limit DROP CONSTRAINT ck_spending_limit_in_its_year")
