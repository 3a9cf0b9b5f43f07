"""Is my place in? The postcode page, the neighbourhood pages, and how a year's money was shared; nobody signs in."""

import pytest
import sqlalchemy as sa

from fund.db import db
from fund.kernel.actor import SYSTEM
from fund.neighbourhoods import queries
from fund.neighbourhoods.actions import load_file
from tests.make.allocations import make_allocation_run
from tests.make.neighbourhoods import ELIGIBLE, ON_THE_OLD_LIST, OUTSIDE, load_facts, make_neighbourhood, write_file
from tests.make.rounds import published


@pytest.fixture
def counted(client):
    """`counted(address)`: the page, and how many statements it took."""
    def get(address):
        sent = []
        engine = db.engine

        def note(_connection, _cursor, statement, *_rest):
            if statement.lstrip().startswith("SELECT"):
                sent.append(statement)

        sa.event.listen(engine, "before_cursor_execute", note)
        try:
            return client.get(address), sent
        finally:
            sa.event.remove(engine, "before_cursor_execute", note)
    return get


def test_the_page_asks_for_the_postcode_of_where_the_good_will_happen(client):
    page = client.get("/places")
    assert page.status_code == 200
    assert "Postcode of where the good will happen" in page.text


@pytest.mark.parametrize("typed", ["BL1 5SF", "bl15sf", " bl1 5sf "])
def test_a_place_that_is_in_sees_first_what_is_set_aside_for_it(client, typed):
    run = make_allocation_run()
    page = client.get("/places", query_string={"postcode": typed})
    assert page.status_code == 200
    assert "is set aside for Smithills" in page.text
    assert f"{run.term_to.day} " in page.text
    assert "Number 236 of 33,755" in page.text
    assert "Number 2,924 of 33,755" in page.text
    assert "English Indices of Deprivation 2025" in page.text
    assert "Community Needs Index 2023" in page.text
    assert "places-2025" in page.text
    assert "Nothing is open just now" in page.text


def test_what_is_open_now_stands_with_its_most_and_who_decides(client):
    make_allocation_run()
    published(neighbourhood_id=make_neighbourhood().id, title="Small grants for Smithills")
    page = client.get("/places?postcode=BL15SF")
    assert "Small grants for Smithills" in page.text
    assert "Residents of Smithills decide." in page.text


def test_before_money_is_shared_the_page_says_so(client):
    load_facts()
    page = client.get(f"/places?postcode={ELIGIBLE}")
    assert "Your place is in: Smithills" in page.text
    assert "has not been shared out yet" in page.text


def test_hale_is_told_why_not_how_near_by_which_rule_and_what_next(client):
    load_facts()
    page = client.get(f"/places?postcode={OUTSIDE}")
    assert page.status_code == 200
    assert "not one of the fund's neighbourhoods" in page.text.replace("&#39;", "'")
    assert "WA14 2EH, Hale, Trafford" in page.text
    assert "number 21,661 of 33,755" in page.text
    assert "so it is 18,286 outside" in page.text
    assert "places-2025" in page.text
    assert "Bucklow-St Martins" in page.text
    assert "Somewhere else" in page.text or "somewhere else" in page.text


def test_a_place_on_the_list_of_2019_is_told_which_rule_and_version_decided(client):
    load_facts()
    page = client.get(f"/places?postcode={ON_THE_OLD_LIST}")
    assert "Harper Green was one of the 225 wards" in page.text
    assert "places-2025" in page.text
    assert "English Indices of Deprivation 2025" in page.text


@pytest.mark.parametrize(("typed", "sentence"), [
    ("", "Type a postcode, like BL1 5SF."), ("BLI 5SF", "Did you mean BL1 5SF?"), ("BL1", "the first half of"),
    ('"><script>alert(1)</script>', "too long for a postcode"), ("x" * 500, "too long")])
def test_what_is_no_postcode_is_kept_in_the_box_with_a_sentence_that_helps(client, typed, sentence):
    load_facts()
    page = client.get("/places", query_string={"postcode": typed})
    assert page.status_code == 422
    assert sentence in page.text
    assert "<script>alert" not in page.text
    if typed == "BLI 5SF":
        assert 'value="BLI 5SF"' in page.text


def test_an_unknown_postcode_gets_what_to_try_and_what_was_typed(client):
    load_facts()
    page = client.get("/places?postcode=zz1+1zz")
    assert page.status_code == 404
    assert "We do not know ZZ1 1ZZ" in page.text
    assert 'value="zz1 1zz"' in page.text
    assert "Look for your neighbourhood by name" in page.text


def test_a_postcode_outside_england_is_told_that_there_are_no_figures(client, tmp_path):
    load_facts()
    load_file(SYSTEM, write_file(tmp_path, "areas.csv", "lsoa21_name,lsoa21_code,ward24_name,ward24_code,ltla24_name,"
                                 "ltla24_code", "Gwynedd 001A,W01000001,Bethel,W05000001,Gwynedd,W06000002"))
    load_file(SYSTEM, write_file(tmp_path, "postcodes.csv", "postcode,lsoa21_code,ward23_code,ward17_code",
                                 "LL55 1AA,W01000001,W05000001,"))
    page = client.get("/places?postcode=LL55+1AA")
    assert page.status_code == 200
    assert "We have no need figures for this area" in page.text


@pytest.mark.parametrize("postcode", [ELIGIBLE, OUTSIDE, ON_THE_OLD_LIST])
def test_the_answer_takes_at_most_three_queries(counted, postcode):
    make_allocation_run()
    published(neighbourhood_id=make_neighbourhood().id)
    counted(f"/places?postcode={postcode}")
    page, sent = counted(f"/places?postcode={postcode}")
    assert page.status_code == 200
    assert 1 <= len(sent) <= 3


def test_a_neighbourhood_shows_its_money_its_shape_its_figures_and_their_licences(counted):
    run = make_allocation_run()
    smithills = queries.neighbourhood_by_code("E05014834")
    page, sent = counted("/neighbourhoods/smithills-bolton")
    assert page.status_code == 200
    assert "is set aside for the 13,783 people of Smithills" in page.text
    assert page.text.count('class="fund-place__area') == 8
    assert page.text.count("fund-place__area--worst") == 1
    assert "Bolton 012B" in page.text
    assert "unverified" in page.text
    assert f"/allocations/{run.financial_year}" in page.text
    assert smithills.code in page.text
    assert len(sent) <= 8


def test_an_unknown_neighbourhood_is_not_found(client):
    assert client.get("/neighbourhoods/nowhere").status_code == 404


def test_the_list_stands_by_name_and_can_be_searched(counted):
    make_allocation_run()
    page, sent = counted("/neighbourhoods")
    assert page.text.index("Besses") < page.text.index("Smithills")
    assert len(sent) <= 3
    page, _ = counted("/neighbourhoods?words=stockport")
    assert "Brinnington" in page.text
    assert "Besses" not in page.text
    page, _ = counted("/neighbourhoods?words=atlantis")
    assert "No neighbourhood has that name" in page.text


def test_a_postcode_in_the_search_box_leads_to_its_answer(client):
    assert client.get("/neighbourhoods?words=bl15sf").location == "/places?postcode=bl15sf"


def test_anybody_can_see_how_a_year_was_shared(client):
    run = make_allocation_run()
    page = client.get(f"/allocations/{run.financial_year}")
    assert page.status_code == 200
    assert "£500,000.00" in page.text
    assert run.inputs_sha256.hex() in page.text
    assert "Smithills" in page.text
    assert client.get("/allocations/1999-00").status_code == 404
