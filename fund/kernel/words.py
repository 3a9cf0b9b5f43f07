"""Words for people, in their language, from code that knows nothing of the web.

`_("Choose a file.")` marks a sentence for the catalogues and gives it in the language of whoever asks. The application
tells this module how to look a sentence up (`use`); without one the English stands.
"""

from collections.abc import Callable
from typing import Any

_look_up: Callable[[str], str] = str


def use(look_up: Callable[[str], str]) -> None:
    """Look sentences up with `look_up` from now on."""
    global _look_up
    _look_up = look_up


def _(sentence: str, /, **values: Any) -> str:
    """The sentence in the reader's language, its `%(name)s` filled with `values`."""
    found = _look_up(sentence)
    return found % values if values else found


def N_(sentence: str, /) -> str:
    """Mark a sentence for the catalogues and leave it in English: for words that are data and are looked up later."""
    return sentence
