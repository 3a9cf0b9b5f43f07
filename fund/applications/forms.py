"""The pages of a form as forms for the web, made from the published definition; and what officers choose.

The fields keep what was typed, right or wrong. What an answer still needs is asked of the rules (`blame`), so that a
page and the check before sending say the same.
"""

import re
import secrets
import uuid
from collections.abc import Iterable
from functools import cache
from typing import Any

import wtforms
from flask import request
from markupsafe import Markup

from fund.applications.rules import INELIGIBLE_BECAUSE, Problem, asked_of
from fund.kernel.errors import BadInput
from fund.kernel.text import CONTROL, tidy
from fund.kernel.words import _
from fund.rounds import queries as rounds
from fund.rounds.formats import Question
from fund.web.forms import BaseForm, FileField, HiddenField, LineField, RadioField, Required, TextField, _l
from fund.web.widgets import draw

#: How many cost lines a new page shows.
EMPTY_ROWS = 3


class AmountField(LineField):
    """An amount as it is typed: the rules read it."""

    inputmode, classes, prefix, spellcheck = "decimal", "govuk-input--width-10", {"text": "£"}, False


class _CostsWidget:
    def __call__(self, field: "CostsField", **_kwargs: Any) -> Markup:
        return draw("applications/_costs.html", field=field, sum_pence=asked_of({"costs": field.data}).sum_pence)


class CostsField(wtforms.Field):
    """Rows of what and how much. `data` is the rows as typed; the browser needs no script to add one."""

    widget = _CostsWidget()

    def __init__(self, label: Any = None, **kwargs: Any) -> None:
        super().__init__(label, **kwargs)
        self.row_errors: dict[int, list[str]] = {}

    @property
    def first_id(self) -> str:
        """Where the error's link leads: the first row that needs something."""
        return self.row_id(min(self.row_errors, default=0))

    def row_id(self, row: int) -> str:
        """The id of a row's first box."""
        return f"{self.id}-{row + 1}"

    def rows(self) -> list[dict[str, str]]:
        """The rows that the page shows: those that there are, and empty ones to begin with."""
        rows = list(self.data or [])
        return rows + [{"what": "", "amount": ""}] * max(EMPTY_ROWS - len(rows), 0)

    def process(self, formdata: Any, data: Any = wtforms.utils.unset_value, **_kwargs: Any) -> None:
        """Read two lists of the same length from what was sent."""
        self.process_errors: list[str] = []
        self.data = list(data) if isinstance(data, list) else []
        if not formdata:
            return
        what, amount = formdata.getlist(f"{self.name}_what"), formdata.getlist(f"{self.name}_amount")
        if len(what) != len(amount):
            raise BadInput(_("Each line says what and how much."), field=self.name)
        self.data = [{"what": tidy(CONTROL.sub("", one)), "amount": tidy(CONTROL.sub("", other))}
                     for one, other in zip(what, amount, strict=True)]


class QuestionsForm(BaseForm):
    """A page of questions. `version` is the draft's when the page was opened, `tab` this window's own name."""

    version = HiddenField()
    tab = HiddenField(default=lambda: secrets.token_hex(8))

    def typed(self) -> dict[str, Any]:
        """The answers as they were typed."""
        return {field.name: field.data or ("" if field.type != "CostsField" else []) for field in self
                if field.name not in {"version", "tab", "csrf_token"}}

    def opened_version(self) -> int:
        """The draft's version when the page was opened. Raises BadInput for what we did not send."""
        if not re.fullmatch(r"[0-9]{1,18}", self.version.data or ""):
            raise BadInput(_("The page arrived incomplete. Open it again."))
        return int(self.version.data)

    def blame_all(self, problems: Iterable[Problem]) -> None:
        """Put each problem beside its field, unless the field has one already."""
        for problem in problems:
            field = self[problem.question_id]
            if problem.row is not None:
                field.row_errors.setdefault(problem.row, []).append(problem.reason.sentence)
            if problem.row is not None or not field.errors:
                field.errors = [*field.errors, problem.reason.sentence]

    def summary(self) -> Markup:
        """Every problem, each linked to its field; of cost lines each to its row."""
        errors = []
        for field in self:
            rows = getattr(field, "row_errors", {})
            errors += [{"text": text, "href": f"#{field.row_id(row)}"} for row, texts in sorted(rows.items())
                       for text in texts]
            if not rows and field.errors and field.name != "csrf_token":
                errors.append({"text": str(field.errors[0]), "href": f"#{getattr(field, 'first_id', field.id)}"})
        errors += [{"text": str(sentence)} for sentence in self.form_errors]
        return draw("components/_summary.html", errors=errors) if errors else Markup()


def _field(question: Question) -> Any:
    label, hint = _l(question.label), _l(question.hint) if question.hint else ""
    if question.kind == "line":
        return LineField(label, description=hint, most_characters=question.most_characters or 200)
    if question.kind == "text":
        return TextField(label, description=hint, most_words=question.most_words, rows=8 if question.most_words else 4,
                         most_characters=question.most_characters)
    if question.kind == "money":
        return AmountField(label, description=hint, most_characters=40)
    if question.kind == "choice":
        return RadioField(label, description=hint, choices=[(value, _l(words)) for value, words in question.choices])
    return CostsField(label, description=hint)


@cache
def questions_form(form_version_id: uuid.UUID, page_id: str) -> type[QuestionsForm]:
    """The form of one page of a published form: made once by every process."""
    page = rounds.form(form_version_id).page(page_id)
    questions = page.questions if page else ()
    return type("PageForm", (QuestionsForm,), {question.id: _field(question) for question in questions})


class WhoForm(BaseForm):
    """Who applies: a group that is known, a few people, or another group."""

    who = RadioField(_l("Who is applying?"), choices=[], validators=[Required(_l("Choose who is applying."))])


class FileForm(BaseForm):
    """A file to add."""

    file = FileField(_l("Choose a file"), description=_l("A photo, a plan, a quote or a letter, up to 10 MB."))


class SendForm(BaseForm):
    """Sending it: the version that was read."""

    version = HiddenField()


class EligibilityForm(BaseForm):
    """Whether a submission goes to the panel."""

    answer = RadioField(_l("Does it fit?"), choices=[
        ("eligible", _l("Yes, put it before the panel"), _l("The panel judges the idea. You do not.")),
        *((code, _l(sentence)) for code, (sentence, _todo) in INELIGIBLE_BECAUSE.items())],
        validators=[Required(_l("Choose one answer."))])


def pressed() -> str:
    """Which button was pressed."""
    return request.form.get("do", "")
