"""What the bank says of a day in the closed books is entered on the first open day; and nobody waits in a ring.

A statement may come late, of a day that is closed already. Until now its payment could not be entered at all. A
correction goes in the open period: the row keeps the day that the bank said, and its entry counts for the first day
that was open when it was posted, and for no other.

Closing the books and a line of the bank's statement wait for one another, so that neither misses what the other has
not committed yet. Payments that are ended together are waited for together, in one order, before the log is.
"""

from alembic import op

revision = "0029"
down_revision = "0028"

#: The lock between the lines of the bank's statements (shared) and the closing of the books over them (sole).
LOCK = "hashtext('lines and closed books')"


def upgrade() -> None:
    """The day of an end's entry, and the two waits."""
    op.execute(_spliced(_of("0026", "SAID", "CREATE FUNCTION public.grant_row_said"), DAYS))
    op.execute(_spliced(_close_period(), CLOSE))
    op.execute(_spliced(_matched(), MATCHED))
    op.execute(WAITS)


def downgrade() -> None:
    """Without them."""
    op.execute("""
    DROP TRIGGER a_wait ON statement_line; DROP FUNCTION public.wait_for_closing();
    DROP FUNCTION public.wait_for_releases(uuid[]);
    """)
    op.execute(_matched())
    op.execute(_close_period())
    op.execute(_of("0026", "SAID", "CREATE FUNCTION public.grant_row_said"))


def _of(revision: str, name: str, begins: str) -> str:
    """What an earlier migration says from where it `begins` a function, to be said again in its stead."""
    text: str = getattr(op.get_context().script.get_revision(revision).module, name)  # type: ignore[union-attr]
    return text[text.index(begins):].replace("CREATE FUNCTION", "CREATE OR REPLACE FUNCTION")


def _close_period() -> str:
    before = op.get_context().script.get_revision("0027").module  # type: ignore[union-attr]
    text: str = before._close_period()
    return text.replace(before.DAY_IS_SAID, before.DAY_IS_SAID + before.DAY_IS_OVER)


def _matched() -> str:
    text = _of("0021", "CLOSED_BOOKS", "CREATE FUNCTION public.statement_lines_matched")
    return text[:text.index("CREATE TRIGGER")]


def _spliced(text: str, words: tuple[tuple[str, str], ...]) -> str:
    for old, new in words:
        if text.count(old) != 1:
            raise RuntimeError(f"the function is not the one that this was written for: {old}")
        text = text.replace(old, new)
    return text


#: The day of an end: what the bank said, or the day after the books that were closed before the entry.
DAYS = (
    ("DECLARE e record; is_so boolean;", "DECLARE e record; is_so boolean; opened date;"),
    ("  WITH given AS NOT MATERIALIZED (", """\
  SELECT max(p.closed_through) + 1 INTO opened FROM ledger.period_close p WHERE p.seq < e.seq;
  WITH given AS NOT MATERIALIZED ("""),
    ("ELSE 'payment_failed' END, y.booked_on,", "ELSE 'payment_failed' END, greatest(y.booked_on, opened),"),
    ("SELECT 'payment_returned', y.booked_on,", "SELECT 'payment_returned', greatest(y.booked_on, opened),"),
)

#: Before the log, as whoever keeps a statement does: the other way round the two would wait in a ring.
CLOSE = (
    ("BEGIN\n  SELECT h.size INTO STRICT place", f"""\
BEGIN
  -- Statements take this lock before the log's, so this does too: the other way round they would wait in a ring.
  PERFORM pg_advisory_xact_lock({LOCK});
  SELECT h.size INTO STRICT place"""),
)

MATCHED = (
    ("BEGIN\n  IF EXISTS (SELECT FROM public.statement_line", f"""\
BEGIN
  -- Lines that were written and not committed yet are waited for; the look is a statement of its own, and sees them.
  PERFORM pg_advisory_xact_lock({LOCK});
  IF EXISTS (SELECT FROM public.statement_line"""),
)

WAITS = f"""
CREATE FUNCTION public.wait_for_closing() RETURNS trigger LANGUAGE plpgsql
SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  PERFORM pg_advisory_xact_lock_shared({LOCK});
  RETURN NULL;
END $$;
CREATE TRIGGER a_wait BEFORE INSERT ON statement_line FOR EACH STATEMENT EXECUTE FUNCTION public.wait_for_closing();

-- Whoever ends several payments waits for all of them first, in one order whatever the order of their lines.
CREATE FUNCTION public.wait_for_releases(releases uuid[]) RETURNS void LANGUAGE plpgsql VOLATILE
SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  PERFORM FROM public.release r WHERE r.id = ANY (releases) ORDER BY r.id FOR NO KEY UPDATE;
END $$;
REVOKE ALL ON FUNCTION public.wait_for_closing(), public.wait_for_releases(uuid[]) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION public.wait_for_releases(uuid[]) TO fund_common;
"""
