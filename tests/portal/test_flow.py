"""How the money flows: bars that add up to the whole width and the whole sum, on a page that says every figure."""

import itertools
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fund.portal.rules import flow
from tests.make.ledger import make_allocation, make_funded_endowment

parts = st.lists(st.tuples(st.text(max_size=5), st.integers(0, 10**12)), max_size=30)


@given(parts)
def test_a_row_takes_the_whole_width_and_loses_no_penny(given_parts):
    bars = flow.row(given_parts)
    assert sum(bar.pence for bar in bars) == sum(pence for _, pence in given_parts)
    assert len(bars) <= flow.MOST_BARS
    if bars:
        assert bars[0].x == 0
        assert bars[-1].x + bars[-1].width == pytest.approx(flow.WIDTH, abs=0.05)
        assert all(one.x + one.width < two.x + 0.05 for one, two in itertools.pairwise(bars))


def test_the_largest_stand_first_and_the_small_ones_together():
    bars = flow.row([(str(n), n) for n in range(1, 21)])
    assert [bar.name for bar in bars] == ["20", "19", "18", "17", "16", "15", "14", flow.REST]
    assert bars[-1].pence == sum(range(1, 14))
    assert [bar.name for bar in flow.row([(flow.REST, 99), ("a", 1)])] == ["a", flow.REST]


@pytest.mark.parametrize(("pence", "whole", "width"), [
    (0, 100, 0), (5, 0, 0), (-5, 100, 0), (1, 10**9, 6), (50, 100, 150), (200, 100, 300)])
def test_a_part_is_seen_and_never_wider_than_the_whole(pence, whole, width):
    assert flow.part_of(pence, whole) == width


def test_the_page_names_every_sum_and_place(client, session):
    assert "Nothing yet." in client.get("/ledger/flow").text
    made = make_funded_endowment(spendable_pence=50_000_000, on=date(2026, 6, 1), tranches=3)
    make_allocation(amount_pence=10_000_000)
    page = client.get("/ledger/flow").text
    assert all(tranche.reference in page for tranche in made.tranches)
    assert "/ledger/accounts/4000/" in page
    assert "£100,000.00" in page
