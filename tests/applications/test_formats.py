"""The frozen copy and its hash; what a draft keeps and what it cannot."""

import hashlib
import json

import pytest
import rfc8785

from fund.applications import formats
from fund.kernel.errors import BadInput
from fund.rounds.formats import SMALL_GRANT, form_from_definition
from tests.make.applications import ANSWERS

FORM = form_from_definition("small_grant", 1, SMALL_GRANT)


def content(**changed):
    usual = {"reference": "APP-1", "round_reference": "RND-1", "form": FORM,
             "group": {"name": "Ŵyl", "kind": "informal"}, "values": ANSWERS,
             "costs": [("Two benches", 40_000)], "asked_pence": 40_000, "least_pence": None,
             "files": [{"id": "1", "name": "plan.pdf", "sha256": "00"}]}
    return formats.frozen_content(**{**usual, **changed})


def test_the_hash_is_of_the_bytes_of_rfc_8785_and_survives_a_round_through_json():
    frozen = content(values={**ANSWERS, "what": "Ŵyl — £5 “yma” 🌳\nsecond"})
    assert formats.content_sha256(frozen) == hashlib.sha256(rfc8785.dumps(frozen)).digest()
    assert formats.content_sha256(json.loads(json.dumps(frozen))) == formats.content_sha256(frozen)


def test_the_same_words_have_another_hash_each_time_so_that_nobody_can_guess_them():
    assert formats.content_sha256(content()) != formats.content_sha256(content())


def test_the_frozen_copy_holds_every_answer_and_the_money_in_pence():
    frozen = content(least_pence=30_000)
    assert set(frozen["answers"]) == {"title", "what", "for_whom", "where", "statutory_duty"}
    assert frozen["costs"] == [{"what": "Two benches", "pence": 40_000}]
    assert (frozen["asked_pence"], frozen["least_pence"]) == (40_000, 30_000)
    assert "least_pence" not in content()


def test_a_draft_keeps_words_right_or_wrong():
    kept = formats.answers_as_kept(FORM, {
        "title": "x" * 500, "asked": "1e5", "costs": [{"what": " a\t b ", "amount": "?"}]})
    assert kept == {"title": "x" * 500, "asked": "1e5", "costs": [{"what": "a b", "amount": "?"}]}


@pytest.mark.parametrize("answers", [
    {"other": "x"}, {"title": 5}, {"title": ["x"]}, {"title": "x" * 20_001}, {"title": "a\x00b"}, {"title": "a\x02b"},
    {"title": "\ud800"}, {"costs": "x"}, {"costs": [{}] * 51}, {"costs": ["x"]}, {"costs": [{"why": "x"}]},
    {"costs": [{"what": "x\x07"}]}, {"costs": [{"what": {"deep": 1}}]}, {"costs": None}])
def test_what_is_no_answer_is_refused_with_its_field(answers):
    with pytest.raises(BadInput) as error:
        formats.answers_as_kept(FORM, answers)
    assert error.value.field == next(iter(answers))
