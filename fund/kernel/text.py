"""Words that people type: how they are tidied, counted and kept. The browser (counter.js) counts the same way."""

import re
import unicodedata

# What no words for people hold: control characters, and what is no character at all.
CONTROL = re.compile("[\x00-\x08\x0e-\x1f\x7f-\x9f\ufdd0-\ufdef\ufffe\uffff\ud800-\udfff]")
# A line ends in many ways: Word's own is \x0b. counter.js knows the same ones, and the same spaces.
_LINE_END = re.compile("\r\n?|[\x0b\x0c\x85\u2028\u2029]")
_SPACES = "\t\n \u00a0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a\u202f\u205f\u3000\ufeff"
_WORD = re.compile(f"[^{_SPACES}]+")


def tidy(text: str) -> str:
    """Text as it is kept: NFC, every line end as LF, no space around it."""
    return unicodedata.normalize("NFC", _LINE_END.sub("\n", text)).strip(_SPACES)


def without_control(text: str) -> str:
    """Text as it may be shown: what has no place in a page is left out."""
    return CONTROL.sub("", _LINE_END.sub("\n", text))


def count_words(text: str) -> int:
    """How many words: runs of anything but space. The browser counts the same."""
    return len(_WORD.findall(tidy(text)))


def count_characters(text: str) -> int:
    """How many characters, a line end as one. The browser counts the same."""
    return len(tidy(text))
