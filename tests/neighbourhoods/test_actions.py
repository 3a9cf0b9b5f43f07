"""Loading files and opening neighbourhoods, in a real database."""

import pytest
import sqlalchemy as sa
from sqlalchemy.exc import DBAPIError

from fund.db import refusal
from fund.kernel.actor import SYSTEM
from fund.kernel.errors import BadInput, NotFound, Refused
from fund.neighbourhoods import queries, rules
from fund.neighbourhoods.actions import load_file, open_neighbourhood, open_neighbourhoods_within_bounds
from fund.neighbourhoods.actions.load import FACTS, in_loading_order
from tests.make.neighbourhoods import load_facts, make_neighbourhood, write_file

POSTCODES = "postcode,lsoa21_code,ward23_code,ward17_code"


def counted(sql, table):
    return sql(f"SELECT count(*) FROM {table}").scalar()


def test_the_shipped_facts_open_ten_neighbourhoods_and_loading_them_again_changes_nothing(sql):
    first = load_facts()
    before = {table: counted(sql, table) for table in ("dataset", "lsoa", "postcode", "neighbourhood_area", "act")}
    assert len(first) == 10
    assert before["lsoa"] == 81
    assert load_facts() == first
    assert {table: counted(sql, table) for table in before} == before


def test_every_dataset_is_pinned_by_version_source_licence_hash_and_count(sql):
    load_facts()
    rows = {row.kind: row for row in sql("SELECT * FROM dataset WHERE kind <> 'postcodes'")}
    assert set(rows) == {"areas", "residents", "imd", "cni", "areas_2011", "earlier_list", "outlines"}
    assert (rows["imd"].version, rows["imd"].row_count) == ("2025", 81)
    assert "Indices of Deprivation" in rows["imd"].source
    assert "unverified" in rows["cni"].licence
    assert all(len(row.sha256) == 32 for row in rows.values())


def test_a_ward_with_too_many_residents_gives_up_its_least_deprived_areas(session):
    smithills = make_neighbourhood()
    areas = queries.small_areas(smithills.id)
    assert smithills.residents == 13_783 == sum(area.residents for area in areas)
    assert "E01004924" not in {area.code for area in areas}
    assert [area.name for area in areas if area.is_doubly_disadvantaged()] == ["Bolton 012B"]
    assert smithills.bounds_rule == "places-2025"


def test_a_ward_without_a_doubly_disadvantaged_area_is_refused(session):
    load_facts()
    with pytest.raises(Refused) as refused:
        open_neighbourhood(SYSTEM, "E05014824")
    assert [reason.code for reason in refused.value.reasons] == ["too_few_residents", "no_doubly_disadvantaged_area"]


def test_a_district_is_no_neighbourhood_except_without_bounds(session):
    load_facts()
    with pytest.raises(Refused):
        open_neighbourhood(SYSTEM, "E08000001")
    made = queries.neighbourhood(open_neighbourhood(SYSTEM, "E08000001", bounds=None))
    assert (made.kind, made.slug, made.bounds_rule) == ("district", "bolton-district", rules.NO_BOUNDS)
    assert queries.place_of_postcode("BL1 5SF").neighbourhood.name == "Smithills"


def test_an_unknown_code_is_not_found(session):
    load_facts()
    with pytest.raises(NotFound):
        open_neighbourhood(SYSTEM, "E05999999")


def test_opening_all_wards_within_bounds_finds_those_of_the_facts(session):
    load_facts()
    ids = open_neighbourhoods_within_bounds(SYSTEM, district_codes=["E08000001", "E08000009"])
    assert {queries.neighbourhood(id_).name for id_ in ids} == {"Smithills", "Bucklow-St Martins"}


def test_wrong_rows_are_named_by_number_with_what_would_be_right_and_nothing_is_loaded(session, sql, tmp_path):
    load_facts()
    before = counted(sql, "postcode")
    path = write_file(tmp_path, "bad.csv", POSTCODES, "BL1 5SG,E01004841,E05014834,", "BL15SF,E01004841,E05014834,",
                      "BL1 5SH,E01004841", "BL1 5SJ,E01999999,E05014834,")
    with pytest.raises(BadInput) as bad, session.begin_nested():
        load_file(SYSTEM, path)
    assert bad.value.row == 3
    text = str(bad.value)
    assert "Row 3, column postcode: “BL15SF” should be a postcode, such as BL1 5SF." in text
    assert "Row 4 has 2 columns and should have 4 columns." in text
    assert "Row 5, column lsoa21_code: “E01999999” should be a small area of the look-up" in text
    assert counted(sql, "postcode") == before


def test_a_postcode_twice_in_one_file_is_named(session, tmp_path):
    load_facts()
    path = write_file(tmp_path, "twice.csv", POSTCODES, "BL1 5SG,E01004841,E05014834,", "BL1 5SH,E01004841,E05014834,",
                      "BL1 5SG,E01004840,E05014834,")
    with pytest.raises(BadInput) as bad, session.begin_nested():
        load_file(SYSTEM, path)
    assert bad.value.row == 4
    assert "repeats BL1 5SG" in str(bad.value)


def test_an_area_twice_in_a_file_of_figures_is_named(session, tmp_path):
    load_facts()
    path = write_file(tmp_path, "twice.csv", "lsoa21_code,residents", "E01004841,1749", "E01004841,1749")
    with pytest.raises(BadInput) as bad, session.begin_nested():
        load_file(SYSTEM, path)
    assert bad.value.row == 3


@pytest.mark.parametrize(("heading", "row"), [
    ("lsoa21_code,residents", "E01004841,1750"),
    ("lsoa21_code,IMD_rank,IMD_decile,IMD_score", "E01004841,237,1,77.1"),
    ("lsoa21_code,Community Needs Index 2023 Rank,Community Needs Index 2023 Score", "E01004841,2925,125.5"),
    ("ward17_code,ward17_name,Left Behind Area?", "E05000658,Harper Green,FALSE"),
    ("lsoa11_code,change_code,lsoa21_code", "E01004841,M,E01004841"),
    ("lsoa21_code,lsoa21_name,ward24_code,ward24_name,ltla24_code,ltla24_name",
     "E01004841,Bolton 012B,E05014824,Great Lever,E08000001,Bolton"),
    ("lsoa21_code,west,north,east,south,path", "E01004841,1,1,2,2,M1 1l1 1z"),
])
def test_a_figure_of_a_version_never_changes(session, tmp_path, heading, row):
    load_facts()
    with pytest.raises(BadInput, match="A figure of a version never changes") as bad, session.begin_nested():
        load_file(SYSTEM, write_file(tmp_path, "other.csv", heading, row))
    assert bad.value.row == 2


def test_a_file_that_repeats_what_we_hold_and_adds_more_is_taken(session, sql, tmp_path):
    load_facts()
    areas = "lsoa21_code,lsoa21_name,ward24_code,ward24_name,ltla24_code,ltla24_name"
    load_file(SYSTEM, write_file(tmp_path, "more.csv", areas,
                                 "E01004841,Bolton 012B,E05014834,Smithills,E08000001,Bolton",
                                 "E01004842,Bolton 012C,E05014826,Heaton,E08000001,Bolton"))
    assert counted(sql, "lsoa") == 82


def test_the_newer_file_answers_for_a_postcode_in_whatever_order_they_are_loaded(session, tmp_path):
    load_facts()
    for name, area in (("new_2026-01.csv", "E01004840"), ("old_2010-01.csv", "E01004921")):
        load_file(SYSTEM, write_file(tmp_path, name, POSTCODES, f"BL1 5SF,{area},E05014834,"))
    place = queries.place_of_postcode("BL1 5SF")
    assert (place.lsoa_code, place.postcode_as_of.year) == ("E01004840", 2026)


@pytest.mark.parametrize(("content", "sentence"), [
    (b"name,age\nAda,36\n", "We do not know what"),
    (b"", "We do not know what"),
    (b"postcode,lsoa21_code,ward23_code,ward17_code\n", "has no rows"),
    (b"lsoa21_code,residents\nE01004841,\xff\n", "not text in UTF-8"),
    (b"lsoa21_code,residents\nE01004841,1\x00749\n", "Row 2"),
])
def test_a_file_that_is_none_of_ours_is_refused_with_a_sentence(session, tmp_path, content, sentence):
    load_facts()
    path = tmp_path / "strange.csv"
    path.write_bytes(content)
    with pytest.raises(BadInput, match=sentence), session.begin_nested():
        load_file(SYSTEM, path)


def test_figures_before_the_look_up_are_refused_with_the_way_out(session):
    with pytest.raises(BadInput, match="Load the look-up of small areas and wards first"), session.begin_nested():
        load_file(SYSTEM, FACTS / "imd_2025.csv")


def test_files_are_put_in_the_order_in_which_they_need_one_another():
    names = [path.name for path in in_loading_order(FACTS.iterdir())]
    assert names[0] == "areas.csv"
    assert names[-1].startswith("postcodes")
    assert "README.md" not in names


@pytest.mark.parametrize("statement", [
    "UPDATE dataset SET source = 'x'", "DELETE FROM need_figure", "UPDATE need_figure SET rank = 1",
    "DELETE FROM postcode", "UPDATE postcode SET lsoa_code = 'E01004840'", "UPDATE neighbourhood SET residents = 1",
    "DELETE FROM neighbourhood_area", "TRUNCATE earlier_list", "UPDATE lsoa SET ward_code = 'E05014834'",
])
def test_what_is_pinned_cannot_be_changed_in_the_application_role(session, sql, statement):
    load_facts()
    with pytest.raises(DBAPIError) as refused, session.begin_nested():
        sql(statement)
    assert refusal(refused.value)[0] == "42501"


@pytest.mark.parametrize("table", ["dataset", "need_figure", "postcode", "neighbourhood", "neighbourhood_area"])
def test_not_even_the_owner_can_change_what_is_pinned(owner, table):
    import psycopg
    with pytest.raises(psycopg.Error) as refused:
        owner.execute(f"TRUNCATE {table} CASCADE")
    assert (refused.value.sqlstate, refused.value.diag.constraint_name) == ("23001", "append_only")


def test_no_small_area_lies_in_two_ward_neighbourhoods(session, sql):
    smithills, besses = make_neighbourhood(), queries.neighbourhood_by_code("E05014152")
    with pytest.raises(DBAPIError) as refused, session.begin_nested():
        sql("INSERT INTO neighbourhood_area (neighbourhood_id, kind, lsoa_code) SELECT :other, 'ward', lsoa_code "
            "FROM neighbourhood_area WHERE neighbourhood_id = :id", other=besses.id, id=smithills.id)
    assert refusal(refused.value) == ("23505", "uq_neighbourhood_area_one_panel")


def test_the_deciles_we_count_are_those_that_the_department_publishes(session):
    load_facts()
    rows = session.execute(sa.text("SELECT rank, out_of, decile FROM need_figure"))
    assert all(rules.decile(rank, out_of) == decile for rank, out_of, decile in rows)
