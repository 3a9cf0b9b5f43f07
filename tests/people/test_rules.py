"""What addresses, names and ways back may be, and when links and codes work: no database, no page."""

import contextlib
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fund.kernel.actor import SYSTEM, Actor, Capacity
from fund.kernel.errors import BadInput
from fund.people import rules
from fund.people.rules import SignInFacts

NOW = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)


def codes(reasons):
    return [reason.code for reason in reasons]


@pytest.mark.parametrize(("typed", "kept"), [
    ("Ana@Example.ORG", "ana@example.org"), (" ana+fund@example.org ", "ana+fund@example.org"),
    ("ana@gŵyl.cymru", "ana@xn--gyl-b2a.cymru"), ("ANA@EXÄMPLE.org", "ana@xn--exmple-cua.org")])
def test_an_address_is_kept_in_one_form_in_which_look_alikes_show(typed, kept):
    assert rules.email_address(typed) == kept


@given(st.text(max_size=100))
def test_whatever_is_typed_is_an_address_or_a_sentence(typed):
    with contextlib.suppress(BadInput):
        kept = rules.email_address(typed)
        assert kept.count("@") == 1
        assert kept == kept.lower()
        assert kept.isascii()
        assert not set(kept) & set(" \r\n\t,;<>\"")


@given(st.text(max_size=60).map("/".__add__) | st.text(max_size=60))
def test_whatever_is_asked_for_the_way_back_stays_with_us(typed):
    back = rules.way_back(typed)
    assert back.startswith("/")
    assert not back.startswith("//")
    assert "\\" not in back
    assert not set(back) & set("\r\n\t\x00")


@pytest.mark.parametrize(("facts", "at", "link", "code"), [
    (SignInFacts(NOW + timedelta(minutes=15), None), NOW, [], []),
    (SignInFacts(NOW, None), NOW, ["expired"], ["expired"]),
    (SignInFacts(NOW, None), NOW - timedelta(microseconds=1), [], []),
    (SignInFacts(NOW + timedelta(minutes=15), NOW), NOW, ["used"], ["used"]),
    (SignInFacts(NOW, NOW), NOW, ["used"], ["used"]),
    (SignInFacts(NOW + timedelta(minutes=15), None, code_tries=4, tries_today=49), NOW, [], []),
    (SignInFacts(NOW + timedelta(minutes=15), None, code_tries=5), NOW, [], ["tries"]),
    (SignInFacts(NOW + timedelta(minutes=15), None, code_tries=0, tries_today=50), NOW, [], ["tries_today"]),
    (None, NOW, ["unknown"], None),
])
def test_when_links_and_codes_work(facts, at, link, code):
    assert codes(rules.reasons_not_to_use_link(facts, at)) == link
    if facts is not None:
        assert codes(rules.reasons_not_to_try_code(facts, at)) == code


@pytest.mark.parametrize("capacity", Capacity)
@pytest.mark.parametrize("has", [frozenset(), frozenset({Capacity.OFFICER})])
def test_who_may_be_given_which_capacity(capacity, has):
    expected = [] if capacity in rules.STAFF else ["not_staff"]
    expected += ["one_capacity"] if has - {capacity} else []
    assert codes(rules.reasons_not_to_grant(SYSTEM, wanted=capacity, has=has)) == expected


@pytest.mark.parametrize("capacity", sorted(set(Capacity) - {Capacity.SYSTEM}))
def test_nobody_gives_capacities_from_a_page(capacity):
    reasons = rules.reasons_not_to_grant(
        Actor(capacity), wanted=Capacity.OFFICER, has=frozenset(), sits_on_a_panel=True)
    assert codes(reasons) == ["only_by_command", "sits_on_a_panel"]


@pytest.mark.parametrize("name", ["Ana", "Siân Llŷr-Owen", "李小龍", "O'Neill", "علي", "x" * 100, "Ana \u0301"])
def test_a_name_is_kept_as_it_was_written(name):
    assert rules.person_name(f" {name} ") == name


@pytest.mark.parametrize("name", ["", " \t ", "x" * 101, "a\u202eb", "a\u200bb", "a\nb", "a\x00b", "\ufeffAna"])
def test_a_name_that_hides_something_is_refused(name):
    with pytest.raises(BadInput) as refused:
        rules.person_name(name)
    assert refused.value.field == "name"


def test_staff_have_shorter_sessions():
    assert rules.session_lasts(frozenset({Capacity.APPROVER})) < rules.session_lasts(frozenset())
