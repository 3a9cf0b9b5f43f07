"""The forms of the endowment: the shape of what is sent. Whether it is allowed is asked of the rules."""

from datetime import date
from typing import Any

from fund.endowment.rules import IN_USE, Assumptions
from fund.kernel.errors import BadInput
from fund.kernel.words import _
from fund.web.forms import (
    BaseForm,
    DayField,
    HiddenField,
    LineField,
    MoneyField,
    RadioField,
    Required,
    TextField,
    TickField,
    _l,
)

#: The fields of the assumptions that are typed as per cent.
_SHARES = ("return_mean", "return_deviation", "inflation_mean", "inflation_deviation")


class FigureField(LineField):
    """A short number on one line."""

    classes, inputmode, spellcheck = "govuk-input--width-5", "decimal", False

    def __init__(self, label: Any, *, most_characters: int = 8, **kwargs: Any) -> None:
        super().__init__(label, most_characters=most_characters, **kwargs)


class AssumptionsForm(BaseForm):
    """What is taken for granted about the years to come. It is part of the page's address, so it can be passed on."""

    class Meta(BaseForm.Meta):
        """It changes nothing, so it needs no token."""

        csrf = False

    return_mean = FigureField(_l("What the investments earn in a usual year, in per cent"))
    return_deviation = FigureField(_l("How much that swings from year to year, in per cent"))
    inflation_mean = FigureField(_l("How much prices rise in a usual year, in per cent"))
    inflation_deviation = FigureField(_l("How much that swings, in per cent"))
    correlation = FigureField(_l("How far the two move together, from -1 to 1"))
    keep_floor = RadioField(_l("Does spending stop before less is left than all that was given, in today's money?"),
                            choices=[("yes", _l("Yes, as the fund's rule says")),
                                     ("no", _l("No, trustees make a recovery plan each time"))])
    seed = FigureField(_l("Number that the chances are drawn by"), most_characters=12)
    rule = HiddenField()

    @classmethod
    def of(cls, arguments: Any) -> "AssumptionsForm":
        """The form with what an address says; what it leaves out is as usual."""
        usual = Assumptions()
        form = cls(formdata=arguments or None)
        for name in (*_SHARES, "correlation"):
            if form[name].data in (None, ""):
                form[name].data = f"{getattr(usual, name) / 100:g}"
        if form.seed.data in (None, ""):
            form.seed.data = str(usual.seed)
        if form.keep_floor.data is None:
            form.keep_floor.data = "yes"
        return form

    def assumptions(self) -> Assumptions | None:
        """What was typed as assumptions; None, with the reason beside each field, where something makes no sense."""
        found: dict[str, int] = {}
        for name in (*_SHARES, "correlation", "seed"):
            field = self._fields[name]
            try:
                found[name] = _hundredths(field.data) if name != "seed" else _whole(field.data)
            except ValueError:
                self.blame(BadInput(_("Write a number, like 6 or 2.25."), field=name))
        if self.keep_floor.data not in {"yes", "no"}:
            self.blame(BadInput(_("Choose one of the answers."), field="keep_floor"))
        return None if self.errors else Assumptions(**found, keep_floor=self.keep_floor.data == "yes")


class PeriodForm(BaseForm):
    """The days of a statement. They are part of the page's address."""

    class Meta(BaseForm.Meta):
        """It changes nothing, so it needs no token."""

        csrf = False

    first = DayField(_l("First day"))
    last = DayField(_l("Last day"))

    @classmethod
    def of(cls, arguments: Any, first: date, last: date) -> "PeriodForm":
        """The form with what an address says; without it, this period."""
        form = cls(formdata=arguments or None)
        for field, usual in ((form.first, first), (form.last, last)):
            if field.data is None and not field.errors and not field.raw_data:
                field.data = usual
        return form

    def days(self) -> tuple[date, date] | None:
        """The first and the last day; None, with the reason beside its field, where they make no period."""
        if not self.validate():
            return None
        first, last = self.first.data, self.last.data
        for field in (self.first, self.last):
            if field.data is None:
                self.blame(BadInput(_("Write the day, month and year in numbers, like 14 3 2027."), field=field.name))
        if first is None or last is None:
            return None
        if first > last:
            self.blame(BadInput(_("The last day comes before the first."), field="last"))
            return None
        return first, last


class RuleForm(BaseForm):
    """A rule and its figures; a figure that is left empty is the usual one."""

    rule = RadioField(_l("Which rule should the fund follow from this year on?"), choices=[
        (rule.name, _l(rule.title), _l(rule.words)) for rule in IN_USE], validators=[
            Required(_l("Choose one of the rules."))])
    rate = FigureField(_l("Share of the value, in per cent"))
    weight = FigureField(_l("Weight of last year's spending, in per cent"))
    low = FigureField(_l("Least share of the value, in per cent"))
    high = FigureField(_l("Most share of the value, in per cent"))

    def validate(self, extra_validators: Any = None) -> bool:
        """Each figure is a number, or empty."""
        found = super().validate(extra_validators)
        for name in ("rate", "weight", "low", "high"):
            try:
                _hundredths(self._fields[name].data or "0")
            except ValueError:
                self.blame(BadInput(_("Write a number, like 6 or 2.25."), field=name))
                found = False
        return found

    def parameters(self) -> dict[str, int]:
        """The figures that were typed, in hundredths of a per cent."""
        return {name: _hundredths(self._fields[name].data) for name in ("rate", "weight", "low", "high")
                if self._fields[name].data}


class PlanForm(BaseForm):
    """A recovery plan."""

    words = TextField(_l("How will the endowment get back above what was given?"), most_characters=2_000, rows=6,
                      validators=[Required(_l("Say how, in a few lines. Everybody can read it later."))])
    back_by = DayField(_l("By which day?"), validators=[Required(_l("Give a day that is still to come."))])


class SureForm(BaseForm):
    """Saying yes to what another trustee wrote."""

    sure = TickField(_l("I have read it, and I agree"), validators=[
        Required(_l("Tick the box to say that you have read it and agree."))])


class LimitForm(BaseForm):
    """A year's limit, as one trustee proposes it."""

    set_on = DayField(_l("The day it counts from"), validators=[
        Required(_l("Write the day, month and year in numbers, like 14 3 2027."))])
    asked = MoneyField(_l("A smaller limit, if you want one"))


class ReserveForm(BaseForm):
    """A change of the reserve for owners."""

    kind = RadioField(_l("What should change?"), choices=[
        ("top_up", _l("Set more by for owners"), _l("It comes out of the return that is not used yet.")),
        ("release", _l("Release what is not needed"), _l("It becomes capital, and stays for ever."))], validators=[
            Required(_l("Choose one of the answers."))])
    amount = MoneyField(_l("How much?"), validators=[Required(_l("Say how much: more than nothing."))])


def _hundredths(typed: str) -> int:
    sign, digits = (-1, typed[1:]) if typed[:1] in {"-", "−"} else (1, typed)
    whole, point, part = digits.strip(" %").partition(".")
    if not (whole.isascii() and whole.isdigit() and len(whole) <= 3) or (point and not (
            part.isascii() and part.isdigit() and len(part) <= 2)):
        raise ValueError(typed)
    return sign * (int(whole) * 100 + int((part or "0").ljust(2, "0")))


def _whole(typed: str) -> int:
    if not (typed.isascii() and typed.isdigit() and len(typed) <= 10):
        raise ValueError(typed)
    return int(typed)
