"""Somebody asks about three postcodes, without an account: one that is in, one that is not, one that is mistyped."""

import pytest
from playwright.sync_api import expect

from fund.db import transaction
from tests.browser.look import check
from tests.make.allocations import make_allocation_run
from tests.make.neighbourhoods import make_neighbourhood
from tests.make.rounds import published

pytestmark = pytest.mark.browser


def test_a_stranger_finds_out_whether_their_place_is_in(live, page):
    with live.app.app_context(), transaction():
        run = make_allocation_run()
        published(neighbourhood_id=make_neighbourhood().id)
        year = run.financial_year

    page.goto(live.url + "/places")
    check(page)
    page.get_by_label("Postcode of where the good will happen").fill("BLI 5SF")
    page.get_by_role("button", name="See what is set aside").click()
    expect(page.get_by_text("Did you mean BL1 5SF?").first).to_be_visible()
    check(page)

    page.get_by_label("Postcode of where the good will happen").fill("bl15sf")
    page.get_by_role("button", name="See what is set aside").click()
    assert "is set aside for Smithills" in page.locator("h1").inner_text()
    check(page)

    page.get_by_role("link", name="See Smithills, its shape and its figures").click()
    expect(page.get_by_role("img", name="The shape of Smithills")).to_be_visible()
    check(page)

    page.goto(live.url + "/places?postcode=WA14+2EH")
    expect(page.get_by_text("18,286 outside")).to_be_visible()
    check(page)

    page.goto(live.url + "/places?postcode=BL3+2EF")
    expect(page.get_by_text("left behind")).to_be_visible()

    for address in ("/places?postcode=ZZ1+1ZZ", "/neighbourhoods", f"/allocations/{year}"):
        page.goto(live.url + address)
        check(page)
