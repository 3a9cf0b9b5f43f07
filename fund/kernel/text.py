"""Words that people type: how they are tidied, counted and kept. The browser (counter.js) counts the same way."""

import re
import unicodedata

# Every other control or format-breaking character has no place in words for people.
CONTROL = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u2028\u2029\ufffe\uffff\ud800-\udfff]")
_SPACES = "\t\n\x0b\x0c\r \u00a0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000\ufeff"
_WORD = re.compile(f"[^{_SPACES}]+")


def tidy(text: str) -> str:
    """Text as it is kept: NFC, line ends as LF, no space around it."""
    return unicodedata.normalize("NFC", text.replace("\r\n", "\n").replace("\r", "\n")).strip()


def count_words(text: str) -> int:
    """How many words: runs of anything but space."""
    return len(_WORD.findall(tidy(text)))


def count_characters(text: str) -> int:
    """How many characters, a line end as one."""
    return len(tidy(text))
