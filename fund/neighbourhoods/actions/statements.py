"""What each kind of official file becomes: the columns it is staged in, and the statements that store it whole.

Every statement reads the staged rows at once. `clash` finds staged rows that disagree with what is stored (by another
file of the same version, or by another row of this one): those are refused, because a version is pinned.
"""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Statements:
    """How one kind is staged and stored. `{s}` stands for the staging table."""

    columns: str
    store: tuple[str, ...]
    clash: str


_FIGURES = """
    INSERT INTO need_figure (kind, version, lsoa_code, rank, out_of, decile, score_milli, dataset_id)
    SELECT %(kind)s, %(version)s, lsoa_code, rank, %(out_of)s, {decile}, round(score * 1000), %(dataset_id)s FROM {{s}}
    ON CONFLICT DO NOTHING"""
_FIGURES_CLASH = """
    SELECT s.row FROM {{s}} s JOIN need_figure f ON f.lsoa_code = s.lsoa_code AND f.kind = %(kind)s
      AND f.version = %(version)s
    WHERE (f.rank, f.decile, f.score_milli) IS DISTINCT FROM (s.rank, {decile}, round(s.score * 1000))"""
# As rules.decile counts it, for the file that publishes ranks alone.
_DECILE_OF_RANK = "({} * 10 + %(out_of)s - 1) / %(out_of)s"

STATEMENTS = {
    "areas": Statements(
        "lsoa_code text PRIMARY KEY, lsoa_name text, ward_code text, ward_name text, district_code text, "
        "district_name text",
        ("""INSERT INTO area (code, kind, name, district_code, dataset_id)
            SELECT DISTINCT ON (district_code) district_code, 'district', district_name, district_code, %(dataset_id)s
            FROM {s} ORDER BY district_code, row ON CONFLICT DO NOTHING""",
         """INSERT INTO area (code, kind, name, district_code, dataset_id)
            SELECT DISTINCT ON (ward_code) ward_code, 'ward', ward_name, district_code, %(dataset_id)s
            FROM {s} ORDER BY ward_code, row ON CONFLICT DO NOTHING""",
         """INSERT INTO lsoa (code, name, ward_code, dataset_id)
            SELECT lsoa_code, lsoa_name, ward_code, %(dataset_id)s FROM {s} ON CONFLICT DO NOTHING"""),
        """SELECT s.row FROM {s} s JOIN lsoa l ON l.code = s.lsoa_code JOIN area w ON w.code = s.ward_code
             JOIN area d ON d.code = s.district_code
           WHERE (l.name, l.ward_code, w.name, w.district_code, d.name)
             <> (s.lsoa_name, s.ward_code, s.ward_name, s.district_code, s.district_name)"""),
    "residents": Statements(
        "lsoa_code text PRIMARY KEY, residents bigint",
        ("""INSERT INTO lsoa_residents (lsoa_code, version, residents, dataset_id)
            SELECT lsoa_code, %(version)s, residents, %(dataset_id)s FROM {s} ON CONFLICT DO NOTHING""",),
        """SELECT s.row FROM {s} s JOIN lsoa_residents r ON r.lsoa_code = s.lsoa_code AND r.version = %(version)s
           WHERE r.residents <> s.residents"""),
    "imd": Statements(
        "lsoa_code text PRIMARY KEY, rank bigint, decile smallint, score numeric",
        (_FIGURES.format(decile="decile"),), _FIGURES_CLASH.format(decile="s.decile")),
    "cni": Statements(
        "lsoa_code text PRIMARY KEY, rank bigint, score numeric",
        (_FIGURES.format(decile=_DECILE_OF_RANK.format("rank")),),
        _FIGURES_CLASH.format(decile=_DECILE_OF_RANK.format("s.rank"))),
    "areas_2011": Statements(
        "code text, lsoa_code text, change_code text, PRIMARY KEY (code, lsoa_code)",
        ("""INSERT INTO lsoa_2011 (code, lsoa_code, change_code, dataset_id)
            SELECT code, lsoa_code, change_code, %(dataset_id)s FROM {s} ON CONFLICT DO NOTHING""",),
        """SELECT s.row FROM {s} s JOIN lsoa_2011 a ON a.code = s.code AND a.lsoa_code = s.lsoa_code
           WHERE a.change_code <> s.change_code"""),
    "earlier_list": Statements(
        "ward17_code text PRIMARY KEY, name text, listed boolean",
        ("""INSERT INTO earlier_list (ward17_code, version, name, dataset_id)
            SELECT ward17_code, %(version)s, name, %(dataset_id)s FROM {s} WHERE listed ON CONFLICT DO NOTHING""",),
        """SELECT s.row FROM {s} s LEFT JOIN earlier_list e ON e.ward17_code = s.ward17_code AND e.version = %(version)s
           WHERE (e.ward17_code IS NOT NULL) <> s.listed OR e.name <> s.name"""),
    "outlines": Statements(
        "lsoa_code text PRIMARY KEY, west bigint, north bigint, east bigint, south bigint, path text",
        ("""INSERT INTO lsoa_outline (lsoa_code, path, west, north, east, south, dataset_id)
            SELECT lsoa_code, path, west, north, east, south, %(dataset_id)s FROM {s} ON CONFLICT DO NOTHING""",),
        "SELECT s.row FROM {s} s JOIN lsoa_outline o ON o.lsoa_code = s.lsoa_code WHERE o.path <> s.path"),
}
