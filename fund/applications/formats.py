"""The frozen copy of an application: what is in it, its bytes and its hash. And the draft's answers as they arrive."""

import hashlib
import re
import secrets
from collections.abc import Mapping, Sequence
from typing import Any

from fund.kernel.errors import BadInput
from fund.kernel.text import CONTROL, tidy
from fund.kernel.words import _
from fund.rounds.formats import Form
from fund.transparency.formats import canonical

#: More than any limit of any question, so that too long a text can be kept and shortened; no room for a flood.
MOST_KEPT = 20_000
MOST_ROWS_KEPT = 50


def content_sha256(content: Mapping[str, Any]) -> bytes:
    """The hash that the receipt shows, of the content's RFC 8785 bytes. The salt inside keeps what it says secret."""
    return hashlib.sha256(canonical(dict(content))).digest()


def frozen_content(*, reference: str, round_reference: str, form: Form, group: Mapping[str, str],
                   values: Mapping[str, Any], costs: Sequence[tuple[str, int]], asked_pence: int,
                   least_pence: int | None, files: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """The copy that is frozen: answers by question, money in pence, the files with their hashes, and a salt."""
    kept: dict[str, Any] = {
        "reference": reference, "round": round_reference, "form": {"name": form.name, "version": form.version},
        "group": dict(group), "costs": [{"what": what, "pence": pence} for what, pence in costs],
        "answers": {question.id: tidy(values.get(question.id) or "") for question in form.questions()
                    if question.kind in {"line", "text", "choice"}},
        "asked_pence": asked_pence, "files": [dict(file) for file in files], "salt": secrets.token_hex(16)}
    if least_pence is not None:
        kept["least_pence"] = least_pence
    return kept


def answers_as_kept(form: Form, answers: Mapping[str, Any]) -> dict[str, Any]:
    """Answers as a draft keeps them: typed words, tidied, right or wrong.

    Raises BadInput for what is no answer at all: an unknown question, another shape, or a flood of text.
    """
    questions = {question.id: question for question in form.questions()}
    kept: dict[str, Any] = {}
    for question_id, value in answers.items():
        if question_id not in questions:
            raise BadInput(_("This form has no such question."), field=str(question_id)[:40])
        if questions[question_id].kind == "costs":
            kept[question_id] = _rows_as_kept(question_id, value)
        else:
            kept[question_id] = _text_as_kept(question_id, value)
    return kept


def _text_as_kept(question_id: str, value: Any) -> str:
    if not isinstance(value, str):
        raise BadInput(_("Write your answer as words."), field=question_id)
    text = tidy(value)
    if len(text) > MOST_KEPT:
        raise BadInput(_("That is much too long to keep. Shorten it, or send it as a file."), field=question_id)
    if CONTROL.search(text):
        raise BadInput(_("There are characters in it that cannot be seen. Type it again instead of pasting it."),
                       field=question_id)
    return text


def _rows_as_kept(question_id: str, value: Any) -> list[dict[str, str]]:
    if not isinstance(value, list) or len(value) > MOST_ROWS_KEPT:
        raise BadInput(_("Use at most %(most)s lines. Put small things together.", most=MOST_ROWS_KEPT),
                       field=question_id)
    rows = []
    for row in value:
        if not isinstance(row, dict) or not set(row) <= {"what", "amount"}:
            raise BadInput(_("Each line says what and how much."), field=question_id)
        rows.append({"what": re.sub(r"\s+", " ", _text_as_kept(question_id, row.get("what", ""))),
                     "amount": _text_as_kept(question_id, row.get("amount", ""))})
    return rows
