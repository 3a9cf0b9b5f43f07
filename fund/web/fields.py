"""The fields of forms. Each cleans what arrives the same way, and says in a sentence what would be right.

Text is normalised (NFC, line ends as LF, outer space away) and control characters are refused with a sentence.
A limit counts characters or words exactly as `counter.js` does in the browser.
"""

import re
from collections.abc import Sequence
from datetime import date
from typing import Any

import wtforms
from wtforms.validators import StopValidation, ValidationError

from fund.kernel.errors import BadInput
from fund.kernel.money import pence_from_typed
from fund.kernel.text import CONTROL, count_characters, count_words, tidy, without_control
from fund.kernel.words import _
from fund.web import widgets
from fund.web.words import _l


class Required:
    """It must be answered; `message` says what to do."""

    field_flags = {"required": True}

    def __init__(self, message: Any = None) -> None:
        self.message = message or _l("Answer this question.")

    def __call__(self, _form: Any, field: Any) -> None:
        if field.data is None or field.data == "" or field.data == [] or field.data is False:
            if not field.errors:
                raise StopValidation(str(self.message))
            raise StopValidation


class _Written(wtforms.StringField):
    """Words that somebody typed."""

    data: Any

    def process_formdata(self, valuelist: Sequence[str]) -> None:
        """Tidy what arrived; refuse control characters."""
        if valuelist:
            self.data = tidy(valuelist[0])
            if CONTROL.search(self.data):
                self.data = without_control(self.data)
                raise ValueError(_("There were characters in it that cannot be seen. We took them out: check it and "
                                   "send it again."))


class LineField(_Written):
    """One line, 200 characters unless told."""

    widget = widgets.Line()

    def __init__(self, label: Any, *, most_characters: int = 200, **kwargs: Any) -> None:
        super().__init__(label, **kwargs)
        self.most_characters = most_characters

    def pre_validate(self, _form: Any) -> None:
        """One line, and no longer than it may be."""
        if self.data and "\n" in self.data:
            raise StopValidation(_("Write it on one line."))
        if self.data and len(self.data) > self.most_characters:
            raise StopValidation(_("Write at most %(most)s characters. There are %(now)s.",
                                   most=self.most_characters, now=len(self.data)))


class EmailField(LineField):
    """An e-mail address; kept as typed, but for space around it."""

    input_type, autocomplete, spellcheck = "email", "email", False

    def pre_validate(self, form: Any) -> None:
        """One @ with something on both sides; whether it arrives is for the letter to find out."""
        super().pre_validate(form)
        if self.data and not re.fullmatch(r"[^@\s]+@[^@\s.]+(?:\.[^@\s.]+)+", self.data):
            raise StopValidation(_("Write an e-mail address, like name@example.com."))


class TextField(_Written):
    """Several lines, with a limit in words or characters that is counted while typing."""

    widget = widgets.Text()

    def __init__(self, label: Any, *, most_words: int | None = None, most_characters: int | None = None,
                 rows: int = 5, **kwargs: Any) -> None:
        super().__init__(label, **kwargs)
        self.most_words, self.most_characters, self.rows = most_words, most_characters or 20_000, rows
        self.counted = most_words is not None or most_characters is not None

    def pre_validate(self, _form: Any) -> None:
        """No longer than it may be."""
        words, characters = count_words(self.data or ""), count_characters(self.data or "")
        if self.most_words is not None and words > self.most_words:
            raise StopValidation(_("Write at most %(most)s words. There are %(now)s.", most=self.most_words, now=words))
        if characters > self.most_characters:
            raise StopValidation(_("Write at most %(most)s characters. There are %(now)s.",
                                   most=self.most_characters, now=characters))


class MoneyField(wtforms.Field):
    """An amount in pounds; `data` is whole pence, None when nothing was typed."""

    widget = widgets.Line()
    inputmode, classes, prefix, spellcheck = "decimal", "govuk-input--width-10", {"text": "£"}, False

    def _value(self) -> str:
        if self.raw_data:
            return without_control(str(self.raw_data[0]))
        if self.data is None:
            return ""
        return f"{self.data // 100:,}" + (f".{self.data % 100:02d}" if self.data % 100 else "")

    def process_formdata(self, valuelist: Sequence[str]) -> None:
        """Read it as money."""
        self.data = None
        if valuelist and valuelist[0].strip():
            try:
                self.data = pence_from_typed(valuelist[0])
            except BadInput as error:
                raise ValueError(str(error)) from error


class _Chosen:
    """What answers to choose from have in common: how they are given, and the sentence for one that is none of them."""

    def __init__(self, label: Any, *, choices: Sequence[tuple[Any, ...]] | None = None, **kwargs: Any) -> None:
        offered = None if choices is None else [wtforms.fields.SelectChoice(*choice) for choice in choices]
        super().__init__(label, choices=offered, **kwargs)  # type: ignore[call-arg]

    def pre_validate(self, form: Any) -> None:
        """One of the answers that were offered."""
        try:
            super().pre_validate(form)  # type: ignore[misc]
        except ValidationError as error:
            raise StopValidation(_("Choose one of the answers.")) from error


class RadioField(_Chosen, wtforms.RadioField):
    """One of a few. `choices` are (value, label) or (value, label, what follows from it)."""

    widget = widgets.Radios()

    def pre_validate(self, form: Any) -> None:
        """None at all is for Required to say."""
        if self.data is not None:
            super().pre_validate(form)


class SelectField(_Chosen, wtforms.SelectField):
    """One of a long list. `choices` are (value, label)."""

    widget = widgets.Select()


class CheckboxesField(_Chosen, wtforms.SelectMultipleField):
    """Any of a few. `choices` are (value, label) or (value, label, what follows from it)."""

    widget = widgets.Checkboxes()


class TickField(wtforms.BooleanField):
    """One thing to tick."""

    widget = widgets.Tick()

    def _value(self) -> str:
        return "y"  # WTForms would show whatever was sent


class DayField(wtforms.Field):
    """A day in three boxes; `data` is a date, None when nothing was typed."""

    widget = widgets.Day()
    raw_data: list[Any] | None

    @property
    def first_id(self) -> str:
        """Where the error's link leads: the first box."""
        return f"{self.name}-day"

    def _value(self) -> str:
        return ""

    def process(self, formdata: Any, *args: Any, **kwargs: Any) -> None:
        """Three boxes come as three values of one name; anything else is no day."""
        super().process(formdata, *args, **kwargs)
        typed = [without_control(str(part)) for part in self.raw_data or []]
        self.raw_data = [*typed, "", "", ""][:3] if typed else None

    def process_formdata(self, valuelist: Sequence[str]) -> None:
        """Read day, month and year, in ASCII digits."""
        self.data = None
        parts = [part.strip() for part in valuelist]
        if not any(parts):
            return
        if len(parts) != 3 or not all(re.fullmatch(r"[0-9]{1,4}", part) for part in parts) or len(parts[2]) != 4:
            raise ValueError(_("Write the day, month and year in numbers, like 14 3 2027."))
        try:
            self.data = date(int(parts[2]), int(parts[1]), int(parts[0]))
        except ValueError as error:
            raise ValueError(_("There is no such day. Check the day and the month.")) from error


class FileField(wtforms.FileField):
    """A file; `data` is Werkzeug's FileStorage, None when none was chosen. What is in it is for documents to judge."""

    widget = widgets.File()

    def process_formdata(self, valuelist: Sequence[Any]) -> None:
        """The first file that has a name."""
        self.data = next((file for file in valuelist if getattr(file, "filename", "")), None)


HiddenField = wtforms.HiddenField
