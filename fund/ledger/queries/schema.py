"""What the database's own catalogue says of the schemas `log` and `ledger`, and how it differs from what it should say.

Of `public`, where all other parts have their tables, it is the constraints, triggers and functions: the rules about
money and power that stand beside the ledger could vanish unseen otherwise.

`migrations/ledger_schema.json` is the one place where that is declared: every column, constraint, index, trigger,
function and right, and the rows of the posting matrix, as the newest migration leaves them. A migration that changes
any of it changes the file too (`fund ledger schema > migrations/ledger_schema.json` on a new database), and a test
holds the two together.
"""

import json
from collections.abc import Iterator
from functools import cache
from typing import Any

import sqlalchemy as sa

from fund.db import session
from fund.ledger.rules.replay import Problem
from fund.schema import MIGRATIONS

DECLARED = MIGRATIONS / "ledger_schema.json"
#: What the server must be set to, so that what it acknowledged is not lost.
SETTINGS = {"fsync": "on", "full_page_writes": "on", "synchronous_commit": "on"}

#: Each gives (name, what it is); the names of one section are unique.
_SECTIONS = {
    "columns": """
      SELECT n.nspname || '.' || c.relname || '.' || a.attname, concat_ws(' ', format_type(a.atttypid, a.atttypmod),
             CASE WHEN a.attnotnull THEN 'NOT NULL' END, nullif(a.attidentity::text, ''),
             nullif(a.attgenerated::text, ''), pg_get_expr(d.adbin, d.adrelid))
      FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid JOIN pg_namespace n ON n.oid = c.relnamespace
      LEFT JOIN pg_attrdef d ON d.adrelid = a.attrelid AND d.adnum = a.attnum
      WHERE n.nspname IN ('log', 'ledger') AND c.relkind = 'r' AND a.attnum > 0 AND NOT a.attisdropped""",
    "constraints": """
      SELECT c.conrelid::regclass || '.' || c.conname, pg_get_constraintdef(c.oid)
             || CASE WHEN c.convalidated THEN '' ELSE ' (binds new rows only)' END
      FROM pg_constraint c JOIN pg_namespace n ON n.oid = c.connamespace
      WHERE n.nspname IN ('log', 'ledger', 'public') AND c.contype <> 'n'""",
    "indexes": """
      SELECT i.indexrelid::regclass::text, pg_get_indexdef(i.indexrelid)
             || CASE WHEN i.indisvalid AND i.indisready THEN '' ELSE ' (not in use)' END
      FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid JOIN pg_namespace n ON n.oid = c.relnamespace
      WHERE n.nspname IN ('log', 'ledger')""",
    # A trigger that keeps a foreign key has a name of no meaning; only one that is switched off is of interest.
    "triggers": """
      SELECT t.tgrelid::regclass || '.' || CASE WHEN t.tgisinternal THEN 'of ' || k.conname || ' ' || p.proname
               ELSE t.tgname END, CASE WHEN t.tgisinternal THEN '' ELSE pg_get_triggerdef(t.oid) END
             || CASE t.tgenabled WHEN 'O' THEN '' ELSE ' (switched off)' END
      FROM pg_trigger t JOIN pg_class c ON c.oid = t.tgrelid JOIN pg_namespace n ON n.oid = c.relnamespace
      JOIN pg_proc p ON p.oid = t.tgfoid LEFT JOIN pg_constraint k ON k.oid = t.tgconstraint
      WHERE n.nspname IN ('log', 'ledger', 'public') AND (NOT t.tgisinternal
        OR k.connamespace IN ('log'::regnamespace, 'ledger'::regnamespace) OR t.tgenabled <> 'O')""",
    "functions": """
      SELECT DISTINCT p.oid::regprocedure::text, concat_ws(' ', p.prokind::text, p.provolatile::text,
        CASE WHEN p.prosecdef THEN 'SECURITY DEFINER' END, array_to_string(p.proconfig, ', '), 'OWNER ' || r.rolname,
        encode(sha256(convert_to(coalesce(pg_get_function_sqlbody(p.oid), p.prosrc), 'UTF8')), 'hex'))
      FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace JOIN pg_roles r ON r.oid = p.proowner
      WHERE n.nspname IN ('log', 'ledger', 'public')""",
    # What an owner may do with its own is left out: it differs between versions of PostgreSQL.
    "rights": """
      SELECT x.name || ' ' || coalesce(g.rolname, 'PUBLIC'), string_agg(DISTINCT a.privilege_type
               || CASE WHEN a.is_grantable THEN ' AND TO GRANT IT' ELSE '' END, ', ')
      FROM (
        SELECT n.nspname || '.' || c.relname AS name, coalesce(c.relacl, acldefault('r', c.relowner)) AS acl, c.relowner
        FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
        WHERE n.nspname IN ('log', 'ledger') AND c.relkind <> 'i'
        UNION ALL SELECT n.nspname || '.' || c.relname || '.' || a.attname, a.attacl, c.relowner FROM pg_attribute a
        JOIN pg_class c ON c.oid = a.attrelid JOIN pg_namespace n ON n.oid = c.relnamespace
        WHERE n.nspname IN ('log', 'ledger')
        UNION ALL SELECT p.oid::regprocedure::text, coalesce(p.proacl, acldefault('f', p.proowner)), p.proowner
        FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace WHERE n.nspname IN ('log', 'ledger')
        UNION ALL SELECT n.nspname, coalesce(n.nspacl, acldefault('n', n.nspowner)), n.nspowner
        FROM pg_namespace n WHERE n.nspname IN ('log', 'ledger')
      ) x CROSS JOIN LATERAL aclexplode(x.acl) a LEFT JOIN pg_roles g ON g.oid = a.grantee
      WHERE a.grantee <> x.relowner GROUP BY 1""",
    "owners": """
      SELECT c.oid::regclass::text, r.rolname || CASE WHEN c.relrowsecurity THEN ' ROW SECURITY' ELSE '' END
             || CASE c.relpersistence WHEN 'p' THEN '' ELSE ' (lost in a crash)' END
      FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace JOIN pg_roles r ON r.oid = c.relowner
      WHERE n.nspname IN ('log', 'ledger') AND c.relkind IN ('r', 'S', 'v', 'm', 'p', 'f')""",
    "rewrites": """
      SELECT c.oid::regclass || '.' || w.rulename, pg_get_ruledef(w.oid) FROM pg_rewrite w
      JOIN pg_class c ON c.oid = w.ev_class JOIN pg_namespace n ON n.oid = c.relnamespace
      WHERE n.nspname IN ('log', 'ledger')""",
    "roles": """
      SELECT r.rolname, concat_ws(' ', CASE WHEN r.rolsuper THEN 'SUPERUSER' END, CASE WHEN r.rolcreaterole THEN
        'CREATEROLE' END, CASE WHEN r.rolreplication THEN 'REPLICATION' END, CASE WHEN r.rolcanlogin THEN 'LOGIN' END,
        (SELECT 'IN ' || string_agg(m.roleid::regrole || CASE WHEN m.inherit_option THEN ' INHERIT' ELSE '' END
           || CASE WHEN m.set_option THEN ' SET' ELSE '' END, ', ' ORDER BY m.roleid::regrole::text)
         FROM pg_auth_members m WHERE m.member = r.oid))
      FROM pg_roles r WHERE r.rolname ^@ 'fund_'""",
    "classes": "SELECT c.prefix, concat_ws(' ', c.class, c.many, c.side, c.guard) FROM ledger.account_class c",
    "matrix": """
      SELECT concat_ws(' ', r.kind, r.phase, r.debit_class, r.credit_class), coalesce('resolves ' || r.resolves, '')
      FROM ledger.posting_rule r""",
}


def catalogue() -> dict[str, dict[str, str]]:
    """What this database has: by section and name, what each is."""
    session.execute(sa.text("SET LOCAL search_path = pg_catalog"))  # so that every name is written out in full
    try:
        return {section: dict(session.execute(sa.text(f"{statement} ORDER BY 1")).all())
                for section, statement in _SECTIONS.items()}
    finally:
        session.execute(sa.text("SET LOCAL search_path = DEFAULT"))


def as_declared(found: dict[str, dict[str, str]]) -> str:
    """A catalogue as the text of the file that declares it."""
    return json.dumps(found, indent=1, sort_keys=True, ensure_ascii=False) + "\n"


@cache
def declared() -> dict[str, dict[str, str]]:
    """What a database at the newest migration has."""
    known: dict[str, dict[str, str]] = json.loads(DECLARED.read_text())
    return known


def differences() -> Iterator[Problem]:
    """Everything in which this database is not as declared."""
    found = catalogue()
    for section, should in declared().items():
        has: dict[str, Any] = found.get(section, {})
        for name in sorted(should.keys() | has.keys()):
            if name not in has:
                yield Problem("schema", name, f"one of the {section} is not there")
            elif name not in should:
                yield Problem("schema", name, f"nobody declared this one of the {section}: {has[name]}")
            elif has[name] != should[name]:
                yield Problem("schema", name, f"one of the {section} is {has[name]}, and should be {should[name]}")


def settings_that_lose() -> Iterator[Problem]:
    """The server's settings with which an acknowledged entry can be lost."""
    for name, right in SETTINGS.items():
        value = session.execute(sa.text("SELECT current_setting(:name)"), {"name": name}).scalar_one()
        if value != right:
            yield Problem("settings", name, f"it is {value}, so what was acknowledged can be lost")
