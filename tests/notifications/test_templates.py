"""Every letter of the fund: both languages, a subject first, the same values in both."""

import pytest
from jinja2 import meta

from fund.notifications.formats import TEMPLATES, _environment

LETTERS = sorted(folder.name for folder in TEMPLATES.iterdir() if folder.is_dir())


@pytest.mark.parametrize("letter", LETTERS)
def test_a_letter_is_written_in_english_and_welsh_with_the_same_values(letter):
    names = {}
    for language in ("en", "cy"):
        text = (TEMPLATES / letter / f"{language}.txt").read_text()
        first, blank, *_rest = text.split("\n")
        assert first.startswith("Subject: ")
        assert len(first) > len("Subject: ")
        assert blank == ""
        names[language] = meta.find_undeclared_variables(_environment(language).parse(text))
    assert names["en"] == names["cy"]
    assert (TEMPLATES / letter / "en.txt").read_text() != (TEMPLATES / letter / "cy.txt").read_text()


def test_there_is_nothing_else_in_the_folder_of_letters():
    files = {path.relative_to(TEMPLATES).as_posix() for path in TEMPLATES.rglob("*") if path.is_file()}
    assert files == {f"{letter}/{language}.txt" for letter in LETTERS for language in ("en", "cy")}
