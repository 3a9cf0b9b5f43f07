"""What a stranger sees first, at every width."""

import pytest

from tests.browser.look import check

pytestmark = pytest.mark.browser


@pytest.mark.parametrize("path", ["/", "/about", "/accessibility", "/privacy", "/no-such-page"])
def test_a_public_page_is_clean_and_fits(live, page, path):
    page.goto(live.url + path)
    check(page, shot="public" + path.replace("/", "-"))
