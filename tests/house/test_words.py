"""Every sentence of the fund has its Welsh, with the same gaps to fill; Welsh and English are equal."""

import re
from functools import cache
from pathlib import Path

from babel.messages.extract import extract_from_dir
from babel.messages.pofile import read_po

ROOT = Path(__file__).resolve().parents[2]
MARKS = {"_": None, "N_": None, "_l": None, "gettext": None, "ngettext": (1, 2)}
GAP = re.compile(r"%\((\w+)\)[sd]")


@cache
def said() -> frozenset[str]:
    """Every sentence that the code and the templates mark."""
    found = (row for folder, pattern, method in (("fund", "**.py", "python"), ("templates", "**.html", "jinja2"),
                                                 ("templates", "**.txt", "jinja2"))
             for row in extract_from_dir(str(ROOT / folder), [(pattern, method)], keywords=MARKS))
    return frozenset(sentence for _file, _line, sentence, *_rest in found if isinstance(sentence, str))


@cache
def welsh() -> dict[str, str]:
    """The Welsh of each sentence of the catalogue."""
    with (ROOT / "fund" / "translations" / "cy" / "LC_MESSAGES" / "messages.po").open("rb") as catalogue:
        return {str(each.id): str(each.string) for each in read_po(catalogue, locale="cy") if each.id}


def test_every_sentence_has_its_welsh():
    assert len(said()) > 1500
    assert sorted(sentence for sentence in said() if not welsh().get(sentence)) == []


def test_the_welsh_has_the_same_gaps_as_the_english():
    wrong = {english: text for english, text in welsh().items() if set(GAP.findall(english)) != set(GAP.findall(text))}
    assert not wrong


def test_nothing_is_kept_that_nobody_says():
    assert sorted(welsh().keys() - said()) == []
