"""Where a postcode is, in one query; which ward an old area belongs to; the list of neighbourhoods."""

import pytest
import sqlalchemy as sa

from fund.db import session as fund_session
from fund.kernel.actor import SYSTEM
from fund.kernel.errors import NotFound
from fund.neighbourhoods import queries, rules
from fund.neighbourhoods.actions import load_file
from tests.make.neighbourhoods import ELIGIBLE, ON_THE_OLD_LIST, OUTSIDE, load_facts, make_neighbourhood, write_file


@pytest.fixture
def statements(session):
    """The statements that were sent since the fixture began."""
    sent = []

    def note(_connection, _cursor, statement, *_rest):
        sent.append(statement)

    bind = fund_session.get_bind()
    sa.event.listen(bind, "before_cursor_execute", note)
    yield sent
    sa.event.remove(bind, "before_cursor_execute", note)


def test_an_eligible_postcode_is_answered_in_one_query_with_both_ranks_and_their_datasets(session, statements):
    load_facts()
    session.flush()
    statements.clear()
    place = queries.place_of_postcode(ELIGIBLE)
    assert len(statements) == 1
    assert (place.lsoa_name, place.ward_name, place.district_name) == ("Bolton 012B", "Smithills", "Bolton")
    assert (place.imd.rank, place.imd.decile, place.imd.version) == (236, 1, "2025")
    assert (place.cni.rank, place.cni.decile, place.cni.version) == (2_924, 1, "2023")
    assert "Indices of Deprivation 2025" in place.imd.source
    assert "Community Needs Index 2023" in place.cni.source
    assert place.neighbourhood.name == "Smithills"
    assert rules.reasons_not_in_scope(place) == []


def test_hale_is_not_in_and_both_reasons_are_given(session):
    load_facts()
    place = queries.place_of_postcode(OUTSIDE)
    assert (place.ward_name, place.imd.decile, place.imd.rank) == ("Hale", 7, 21_661)
    assert [reason.code for reason in rules.reasons_not_in_scope(place)] == ["deprivation", "community_need"]


def test_a_place_on_the_old_list_is_not_in_by_the_rule_of_today(session):
    load_facts()
    place = queries.place_of_postcode(ON_THE_OLD_LIST)
    assert place.earlier_list == "Harper Green"
    assert (place.imd.decile, place.cni.decile) == (2, 7)
    assert [reason.code for reason in rules.reasons_not_in_scope(place)] == ["deprivation", "community_need"]


def test_an_unknown_postcode_is_not_found(session):
    load_facts()
    with pytest.raises(NotFound, match="We do not know the postcode ZZ1 1ZZ"):
        queries.place_of_postcode("zz11zz")


def test_every_shipped_postcode_has_a_place_with_both_figures(session, sql):
    load_facts()
    for postcode in sql("SELECT DISTINCT postcode FROM postcode").scalars():
        place = queries.place_of_postcode(postcode)
        assert place.imd is not None
        assert place.cni is not None


def test_an_area_of_2021_is_answered_by_its_ward_and_an_unchanged_one_of_2011_too(session):
    load_facts()
    assert queries.ward_of_lsoa("E01004841") == queries.WardOfArea("E05014834")


def split_area(session, tmp_path, *, residents):
    """E01099999 of 2011 lies in two wards, each of one small area with these residents."""
    load_file(SYSTEM, write_file(
        tmp_path, "areas.csv", "lsoa21_name,lsoa21_code,ward24_name,ward24_code,ltla24_name,ltla24_code",
        "North,E01000001,North,E05000001,Town,E07000001", "South,E01000002,South,E05000002,Town,E07000001"))
    load_file(SYSTEM, write_file(tmp_path, "people.csv", "lsoa21_code,residents", f"E01000001,{residents[0]}",
                                 f"E01000002,{residents[1]}"))
    load_file(SYSTEM, write_file(tmp_path, "split.csv", "lsoa11_code,change_code,lsoa21_code",
                                 "E01099999,S,E01000001", "E01099999,S,E01000002"))
    return queries.ward_of_lsoa("E01099999")


def test_a_split_area_goes_to_the_ward_with_more_residents_and_names_the_other(session, tmp_path):
    assert split_area(session, tmp_path, residents=(10, 11)) == queries.WardOfArea("E05000002", ("E05000001",))


def test_a_split_area_of_equal_wards_goes_to_the_lower_code(session, tmp_path):
    assert split_area(session, tmp_path, residents=(10, 10)) == queries.WardOfArea("E05000001", ("E05000002",))


def test_an_area_of_no_look_up_is_not_found(session):
    with pytest.raises(NotFound):
        queries.ward_of_lsoa("E01099999")


def test_neighbourhoods_are_found_by_any_words_of_their_name_or_district(session):
    load_facts()
    assert [one.name for one in queries.neighbourhoods()] == sorted(one.name for one in queries.neighbourhoods())
    assert [one.slug for one in queries.neighbourhoods("STOCKPORT brinn")] == [
        "brinnington-and-stockport-central-stockport"]
    assert queries.neighbourhoods("100%") == []
    assert queries.neighbourhoods("_") == []


def test_the_list_is_paged_by_key_without_gap_or_repeat(session):
    load_facts()
    whole, paged, after = [one.slug for one in queries.neighbourhoods()], [], None
    while page := queries.neighbourhoods(after=after, most=3):
        paged += [one.slug for one in page]
        after = page[-1].slug
    assert paged == whole
    assert len(whole) == 10


def test_a_neighbourhood_is_found_by_id_code_and_address(session):
    made = make_neighbourhood()
    assert queries.neighbourhood(made.id) == made == queries.neighbourhood_by_slug("smithills-bolton")
    with pytest.raises(NotFound):
        queries.neighbourhood_by_slug("nowhere")


def test_the_need_of_a_neighbourhood_is_its_residents_times_their_score(session, sql):
    made = make_neighbourhood()
    need = next(need for need in queries.needs_of_neighbourhoods() if need.code == made.code)
    assert need.residents == made.residents
    assert need.weight == sql("SELECT sum(r.residents * f.score_milli) FROM lsoa_residents r JOIN need_figure f "
                              "ON f.lsoa_code = r.lsoa_code AND f.kind = 'imd' JOIN neighbourhood_area a "
                              "ON a.lsoa_code = r.lsoa_code WHERE a.neighbourhood_id = :id", id=made.id).scalar()
    assert 0 < need.score_milli < 100_000
