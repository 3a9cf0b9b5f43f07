"""Names of files as people see them, and files that are refused before they are opened."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fund.documents import rules


@pytest.mark.parametrize(("given_name", "shown"), [
    ("plan.pdf", "plan.pdf"),
    ("C:\\Users\\Ana\\plan.pdf", "plan.pdf"),
    ("../../etc/passwd", "passwd"),
    ("/abs/plan.pdf", "plan.pdf"),
    ("plan\u202efdp.exe", "planfdp.exe"),
    ("pl\u200ban\x00\x07.pdf", "plan.pdf"),
    ("a\r\nSet-Cookie: x.pdf", "aSet-Cookie_ x.pdf"),
    ('q"uo<te>.pdf', "q_uo_te_.pdf"),
    ("...", "file"), ("", "file"), ("  .pdf", "pdf"), ("caf\u0065\u0301.txt", "caf\u00e9.txt"),
    ("Cynllun gŵyl.pdf", "Cynllun gŵyl.pdf"),
    ("x" * 500 + ".pdf", "x" * 116 + ".pdf"),
    ("a." + "x" * 300, "a." + "x" * 117),
])
def test_a_name_is_cleaned_for_people(given_name, shown):
    assert rules.shown_name(given_name) == shown


@given(st.text(st.characters(codec="utf-8")))
def test_no_name_keeps_a_folder_a_control_or_too_many_characters(typed):
    shown = rules.shown_name(typed)
    assert 1 <= len(shown) <= rules.LONGEST_NAME
    assert not set(shown) & set("/\\\r\n\x00\u202e\"")
    assert rules.shown_name(shown) == shown


def test_empty_too_big_and_other_kinds_get_a_sentence_with_a_way_on():
    assert [one.code for one in rules.reasons_not_to_look_at("a.pdf", 0)] == ["empty"]
    assert rules.reasons_not_to_look_at("a.pdf", rules.MOST_BYTES) == []
    assert "26 MB" in rules.reasons_not_to_look_at("a.pdf", rules.MOST_BYTES + 1)[0].sentence
    for name, word in (("a.exe", "PDF"), ("a.svg", "PDF"), ("a.html", "PDF"), ("a", "PDF"), ("a.heic", "JPEG"),
                       ("a.doc", "docx"), ("a.docm", "docx"), ("a.pdf.exe", "PDF")):
        assert word in rules.reasons_not_to_look_at(name, 10)[0].sentence
