"""Every field and every piece, as they stand on the sample pages of tests/web."""

import pytest

from tests.browser.look import check, serving
from tests.web.conftest import committed, site  # noqa: F401  fixtures

pytestmark = pytest.mark.browser


@pytest.fixture
def url(site, built):  # noqa: F811
    """The address of the sample pages."""
    with serving(site) as address:
        yield address


def test_every_piece_is_clean_and_fits(url, page):
    page.goto(url + "/sample/pieces")
    check(page, shot="pieces")


def test_a_form_that_needs_mending_leads_to_each_field(url, page):
    page.goto(url + "/sample/form")
    check(page, shot="form")
    page.get_by_label("Your group's name").fill("Friends of the canal")
    page.get_by_role("button", name="Save", exact=True).click()
    check(page, shot="form-to-mend")
    assert page.evaluate("document.activeElement.className") == "govuk-error-summary"
    page.get_by_role("link", name="Write an amount.").click()
    assert page.evaluate("document.activeElement.id") == "amount"
    assert page.get_by_label("Your group's name").input_value() == "Friends of the canal"


def test_the_browser_counts_as_the_server_does(url, page):
    page.goto(url + "/sample/form")
    limit = page.locator("#story-count")
    page.get_by_label("What would you do?").fill(" one two\n\nthree\u00a0four ")
    assert limit.text_content() == "Words: 4 of 12"
    page.get_by_label("What would you do?").fill("w " * 15)
    assert limit.text_content() == "Words: 15 of 12. Too many by 3."
    page.get_by_label("Anything else?").fill("e\u0301\n" + "ŵ" * 38)
    assert page.locator("#note-count").text_content() == "Characters: 40 of 40"


def test_the_form_works_without_scripts(url, new_page):
    page = new_page(scripts=False)
    page.goto(url + "/sample/form")
    page.get_by_label("How much do you ask for?").fill("1,250.5")
    page.get_by_role("button", name="Save", exact=True).click()
    assert page.get_by_label("How much do you ask for?").input_value() == "1,250.5"
    assert page.locator("#amount-error").count() == 0


def test_the_first_press_of_tab_leads_past_the_header(url, page):
    page.goto(url + "/sample/pieces")
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.className") == "govuk-skip-link"
    page.keyboard.press("Enter")
    assert page.evaluate("document.activeElement.id") == "main-content"


def test_forced_colours_and_print_keep_everything_readable(url, page):
    page.goto(url + "/sample/pieces")
    page.emulate_media(forced_colors="active")
    check(page, shot="pieces-forced")
    page.emulate_media(forced_colors="none", media="print")
    assert not page.locator(".fund-header").is_visible()
    assert page.get_by_role("heading", name="Sample pieces").is_visible()
