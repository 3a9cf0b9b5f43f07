"""What a 360Giving file says, and what it fails to say."""

from datetime import date
from decimal import Decimal

import pytest

from fund.kernel.errors import BadInput
from fund.replay.formats import pence, read_grants


@pytest.mark.parametrize(("value", "expected"), [
    (0, 0), (12, 1200), (Decimal("3239.34"), 323934), (Decimal("0.1"), 10), (Decimal("1E+2"), 10000),
    (Decimal("1.005"), None), (-1, None), (None, None), ("12", None), (True, None),
    (Decimal("NaN"), None), (Decimal("Infinity"), None)])
def test_an_amount_is_whole_pence_or_nothing(value, expected):
    assert pence(value) == expected


@pytest.mark.parametrize("data", [b"", b"[]", b"{}", b'{"grants": {}}', b"\xff\xfe", b"[" * 100_000])
def test_what_is_no_360giving_file_is_refused_with_a_sentence(data):
    with pytest.raises(BadInput):
        read_grants(data)


def test_a_grant_is_read_and_what_is_missing_is_none():
    data = b"""{"grants": [{"id": "a", "title": " Two   words ", "amountAwarded": 10.5, "awardDate": "2016-02-30",
      "amountDisbursed": NaN, "recipientOrganization": [{"id": "x", "name": "A Group"}]},
      {"id": "b", "awardDate": "2015-06-01T00:00:00+00:00", "beneficiaryLocation": [{"geoCode": "E01000001"}]}, 5]}"""
    first, second = read_grants(data)
    assert (first.row, first.title, first.awarded_pence, first.awarded_on) == (1, "Two words", 1050, None)
    assert (first.disbursed_pence, first.area_code, first.recipient_name) == (0, None, "A Group")
    assert (second.awarded_on, second.awarded_pence, second.area_code) == (date(2015, 6, 1), None, "E01000001")
