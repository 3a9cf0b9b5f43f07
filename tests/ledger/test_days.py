"""Days on which the clock changes, years end, and the server lives elsewhere: a leaf says and counts the same."""

from datetime import UTC, date, datetime, timedelta

import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from fund.kernel.clock import LONDON
from fund.ledger import actions, queries, rules
from fund.ledger.queries.fsck import check_everything
from fund.transparency import formats
from fund.transparency import queries as public_record

SPRING, AUTUMN = date(2027, 3, 28), date(2027, 10, 31)  # 01:00 UTC: London's clock goes to 02:00, and back to 01:00
EDGES = [date(2027, 3, 31), date(2027, 4, 1), date(2027, 4, 5), date(2027, 4, 6), date(2027, 12, 31), date(2028, 1, 1),
         SPRING, SPRING + timedelta(1), AUTUMN, AUTUMN + timedelta(1), date(2028, 2, 29)]
ELSEWHERE = ["UTC", "Europe/London", "America/New_York", "Pacific/Kiritimati", "Pacific/Pago_Pago"]


@pytest.fixture
def ledger(session):
    actions.open_standing_accounts()
    return session


@pytest.mark.parametrize("zone", ELSEWHERE)
@pytest.mark.parametrize("style", ["ISO, DMY", "German, DMY", "SQL, MDY", "Postgres, YMD"])
def test_a_server_elsewhere_writes_the_same_bytes(ledger, zone, style):
    live = sa.text("SELECT set_config('TimeZone', :zone, true), set_config('DateStyle', :style, true)")
    for number, moment in enumerate((datetime(2027, 3, 28, 0, 59, 59, 999_999, UTC),
                                     datetime(2027, 3, 28, 1, 0, tzinfo=UTC), datetime(2027, 10, 31, 0, 30, tzinfo=UTC),
                                     datetime(2027, 10, 31, 1, 30, tzinfo=UTC))):
        on = moment.astimezone(LONDON).date()
        ledger.execute(live, {"zone": zone, "style": style})
        posted = actions.post("investment_income", rules.investment_income(5), effective_on=on, idem_key=f"i{number}",
                              recorded_at=moment)
        ledger.execute(live, {"zone": zone, "style": "ISO"})  # the driver reads no other
        leaf = public_record.leaf_by_seq(posted.seq)
        said = formats.read(leaf.encoded)
        assert (said["recorded_at"], said["effective_on"]) == (formats.moment(moment), on.isoformat())
        assert leaf.recorded_at.timestamp() == moment.timestamp()
        assert queries.balance_as_effective("3100", on).posted_pence >= 5
    assert check_everything().problems == []


def test_the_same_hour_twice_is_two_moments():
    """London's clock shows 01:30 twice on the last Sunday of October; a leaf says which."""
    first, second = (datetime(2027, 10, 31, 1, 30, tzinfo=LONDON, fold=fold) for fold in (0, 1))
    assert (formats.moment(first), formats.moment(second)) == (
        "2027-10-31T00:30:00.000000Z", "2027-10-31T01:30:00.000000Z")


@pytest.mark.parametrize("on", EDGES)
def test_an_entry_counts_from_its_day_on_and_not_before(ledger, on):
    actions.post("investment_income", rules.investment_income(9), effective_on=on, idem_key="i")
    assert queries.balance_as_effective("3100", on - timedelta(days=1)).posted_pence == 0
    assert queries.balance_as_effective("3100", on).posted_pence == 9


@given(moments=st.lists(st.datetimes(datetime(2027, 3, 27, 22), datetime(2027, 3, 29, 2)) | st.datetimes(
    datetime(2027, 10, 30, 22), datetime(2027, 11, 1, 2)), min_size=1, max_size=4), zone=st.sampled_from(ELSEWHERE))
@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
def test_any_moment_of_a_clock_change_is_kept_to_the_microsecond(ledger, moments, zone):
    with ledger.begin_nested() as undone:
        ledger.execute(sa.text("SELECT set_config('TimeZone', :zone, true)"), {"zone": zone})
        posted = actions.post_many([actions.ToPost(
            kind="investment_income", lines=rules.investment_income(1), effective_on=SPRING, idem_key=f"m{number}",
            recorded_at=moment.replace(tzinfo=UTC)) for number, moment in enumerate(moments)])
        for one, moment in zip(posted, moments, strict=True):
            leaf = public_record.leaf_by_seq(one.seq)
            assert leaf.recorded_at.timestamp() == moment.replace(tzinfo=UTC).timestamp()
            assert formats.read(leaf.encoded)["recorded_at"] == f"{moment:%Y-%m-%dT%H:%M:%S.%f}Z"
        undone.rollback()
