"""The fields: what they take, what they say of the rest, and that nothing typed is lost."""

import json
import subprocess
import unicodedata
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st
from werkzeug.datastructures import MultiDict

from fund.kernel.text import count_characters, count_words, tidy, without_control
from fund.web import assets
from tests.web.sample import SampleForm

GOOD = {"name": "Friends of the canal", "amount": "1,250.50", "interest": "none", "agreed": "y", "size": "few"}


@pytest.fixture
def sent(site):
    """`sent(name="…")`: the form as the server reads it, the rest of it in order."""

    def read(**fields):
        with site.test_request_context("/sample/form", method="POST"):
            form = SampleForm(MultiDict({**GOOD, **fields}), meta={"csrf": False})
            form.validate()
            return form

    return read


def test_what_is_in_order_is_taken(sent):
    form = sent(starts_on=["14", "3", "2027"], helped_by=["a", "b"], story="  Benches\r\nand flowers ")
    assert form.errors == {}
    assert form.amount.data == 125_050
    assert form.starts_on.data == date(2027, 3, 14)
    assert form.helped_by.data == ["a", "b"]
    assert form.story.data == "Benches\nand flowers"
    assert form.agreed.data is True


@pytest.mark.parametrize("typed", ["NaN", "1e5", "1_000", "１００", "12.345", "-5", "9" * 5000, "£", "1,00", "½"])
def test_what_is_no_money_is_shown_again_with_what_would_be_right(sent, typed):
    form = sent(amount=typed)
    assert list(form.errors) == ["amount"]
    assert form.amount._value() == typed


@pytest.mark.parametrize("typed", ["", "   "])
def test_no_money_at_all_is_for_the_question_to_ask(sent, typed):
    assert sent(amount=typed).errors == {"amount": ["Write an amount."]}


@pytest.mark.parametrize(("typed", "pence"), [("£1,200", 120_000), ("0.5", 50), (" 12 ", 1200), ("£ 3.05", 305)])
def test_money_as_people_write_it(sent, typed, pence):
    assert sent(amount=typed).amount.data == pence


@pytest.mark.parametrize("typed", [
    ["31", "2", "2027"], ["29", "2", "2027"], ["0", "1", "2027"], ["1", "13", "2027"], ["1", "1", "27"],
    ["2027-W05-1", "", ""], ["1", "1"], ["1", "", "2027"], ["١", "1", "2027"], ["1", "1", "0000"], ["-1", "1", "2027"],
])
def test_a_day_that_does_not_exist_is_refused_and_kept(sent, typed):
    form = sent(starts_on=typed)
    assert list(form.errors) == ["starts_on"]
    assert form.starts_on.raw_data[: len(typed)] == typed


def test_the_29th_of_february_exists_in_a_leap_year(sent):
    assert sent(starts_on=["29", "2", "2028"]).starts_on.data == date(2028, 2, 29)


def test_an_answer_that_was_not_offered_is_refused(sent):
    assert sent(interest="bribe").errors == {"interest": ["Choose one of the answers."]}
    assert sent(helped_by=["a", "bribe"]).errors == {"helped_by": ["Choose one of the answers."]}
    assert sent(size="bribe").errors == {"size": ["Choose one of the answers."]}


@pytest.mark.parametrize("address", ["ana", "ana@", "@example.com", "a b@example.com", "ana@example", "a@b.c\nx"])
def test_what_is_no_address_is_refused(sent, address):
    assert "email" in sent(email=address).errors


def test_characters_that_cannot_be_seen_are_taken_out_with_a_sentence(sent):
    form = sent(name="Friends\x07 of\x1b the canal")
    assert "characters in it that cannot be seen" in form.errors["name"][0]
    assert form.name.data == "Friends of the canal"


def test_a_line_is_one_line(sent):
    assert sent(name="One\nTwo").errors == {"name": ["Write it on one line."]}
    assert sent(name="A" * 201).errors == {"name": ["Write at most 200 characters. There are 201."]}


def test_text_is_kept_in_one_form(sent):
    assert sent(name="Cafe\u0301 Sio\u0302r").name.data == "Caf\u00e9 Si\u00f4r"


def test_a_limit_in_words_counts_words_alone(sent):
    assert sent(story="w " * 12).errors == {}
    assert sent(story="w " * 13).errors == {"story": ["Write at most 12 words. There are 13."]}
    assert sent(note="ŵ" * 40).errors == {}
    assert sent(note="ŵ" * 41).errors == {"note": ["Write at most 40 characters. There are 41."]}


COUNTED = ["", " ", "one", "one two", " one\r\ntwo\rthree\nfour ", "a\u00a0b", "a\u200bb", "\ufeffa", "a\u2003b\u3000c",
           "e\u0301", "👩\u200d👩\u200d👧", "a\x0bb", "a\u2028b", "Beth ydych chi'n ei wneud?", "-- … –", "ŵ ŷ",
           "a\x1cb", "\x85a\x85"]


def test_the_browsers_script_counts_exactly_as_the_server_does(tmp_path):
    node = assets.node()
    (tmp_path / "counter.mjs").write_text((assets.FRONT / "counter.js").read_text())
    script = ("import {countWords, countCharacters} from './counter.mjs';"
              f"console.log(JSON.stringify({json.dumps(COUNTED)}.map(t => [countWords(t), countCharacters(t)])))")
    (tmp_path / "try.mjs").write_text(script)
    said = subprocess.run([node, "try.mjs"], cwd=tmp_path, capture_output=True, text=True, check=True).stdout
    assert json.loads(said) == [[count_words(text), count_characters(text)] for text in COUNTED]


@given(st.text())
def test_tidy_text_stays_as_it_is(text):
    assert tidy(tidy(text)) == tidy(text)


@given(st.text())
def test_what_is_shown_holds_no_control_character(text):
    assert not any(unicodedata.category(c) == "Cc" and c not in "\t\n" for c in without_control(text))
