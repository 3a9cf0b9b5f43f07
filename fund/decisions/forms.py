"""The forms of a panel that decides."""

from typing import Any

from fund.decisions.rules import LONGEST_REASON
from fund.web.forms import BaseForm, MoneyField, Required, TextField, TickField, _l


class CloseForm(BaseForm):
    """Closing a sitting: one tick, one press."""

    sure = TickField(_l("I have read what will be decided. It cannot be changed afterwards."),
                     validators=[Required(_l("Tick the box to say that you have read it."))])


class PotForm(BaseForm):
    """How much of the panel's money goes into a sitting."""

    pot = MoneyField(_l("How much can this sitting award, in pounds?"),
                     description=_l("For example: 5000. What you leave out stays for later sittings."),
                     validators=[Required(_l("Write how much, in pounds."))])


class JoinForm(BaseForm):
    """Taking part in a decision."""


def reasons_form(questions: list[tuple[int, str, str]]) -> BaseForm:
    """A form with a box for each criterion: (position, its question, what was agreed before)."""

    class ReasonsForm(BaseForm):
        """The panel's reasons."""

    for position, label, said in questions:
        field = TextField(label, most_characters=LONGEST_REASON, rows=3, default=said,
                          validators=[Required(_l("Write the panel’s reason in a sentence or two."))])
        setattr(ReasonsForm, f"reason_{position}", field)
    made: Any = ReasonsForm()
    return made
