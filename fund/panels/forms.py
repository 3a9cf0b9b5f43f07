"""The forms of a panel's members: everyday words, each with what follows from it."""

from typing import Any

from fund.panels.rules import LONGEST_REASON
from fund.web.forms import BaseForm, RadioField, Required, TextField, TickField, _l

#: What ties a member to an application, in their words, and what follows from it.
INTERESTS = [
    ("nothing", _l("I know nobody behind it"), _l("You read and score it.")),
    ("know_someone", _l("I know somebody in the group a little"), _l("You read and score it. We note what you said.")),
    ("family_would_use_it", _l("My family would use it"),
     _l("You read and score it. Most good things here are used by neighbours. We note what you said.")),
    ("neighbour_runs_it", _l("My neighbour or a friend runs it"),
     _l("You do not read, score or decide this one. Somebody else does.")),
    ("i_am_in_it", _l("I or my family are in the group, work for it, would be paid by it, or helped to write this"),
     _l("You do not read, score or decide this one, and you leave while it is talked about.")),
    ("not_sure", _l("I am not sure"), _l("You ask, and the chair answers. Until then you cannot open it.")),
]

#: What a number means, in words.
POINTS = [
    ("0", _l("0 – Not at all")), ("1", _l("1 – Hardly")), ("2", _l("2 – A little, with big gaps")),
    ("3", _l("3 – Enough")), ("4", _l("4 – Well")), ("5", _l("5 – Very well, hard to do better")),
]

RULINGS = [
    ("none", _l("It is no interest at all"), _l("They read and score it.")),
    ("note_only", _l("Note it"), _l("They read and score it, and what they said is noted.")),
    ("no_scoring", _l("They do not score"), _l("They do not read, score or decide it. Another reader is found.")),
    ("out_of_room", _l("They leave the room"),
     _l("They do not read, score or decide it, and leave while it is talked about.")),
]


class InterestForm(BaseForm):
    """What ties me to it."""

    answer = RadioField(_l("What fits best?"), choices=INTERESTS,
                        validators=[Required(_l("Choose the sentence that fits best."))])


class ScoreForm(BaseForm):
    """Points and a reason for one question."""

    points = RadioField(_l("Your number"), choices=POINTS, validators=[Required(_l("Choose a number from 0 to 5."))])
    reason = TextField(_l("Why this number?"), most_characters=LONGEST_REASON, rows=4,
                       description=_l("A sentence or two. Only the panel reads it, never the group."),
                       validators=[Required(_l("Say in a few words why."))])


class RulingForm(BaseForm):
    """The answer to a member's doubt."""

    consequence = RadioField(_l("What does it mean?"), choices=RULINGS,
                             validators=[Required(_l("Choose what this means for them."))])


class ConfirmForm(BaseForm):
    """One clear step."""


class CodeForm(BaseForm):
    """Taking up a seat."""

    agreed = TickField(_l("I have read it, and I will keep to it"), validators=[Required(_l("Tick the box to agree."))])


def interests_form(references: list[tuple[str, str, str | None]]) -> BaseForm:
    """A form with the question about interests for each application: (reference, label, what was said before)."""

    class InterestsForm(BaseForm):
        """What ties me to each of them."""

    for reference, label, said in references:
        field = RadioField(label, choices=INTERESTS, default=said,
                           validators=[Required(_l("Say of each application what fits best."))])
        setattr(InterestsForm, field_name(reference), field)
    made: Any = InterestsForm()
    return made


def field_name(reference: str) -> str:
    """The name of an application's field in a form."""
    return reference.lower().replace("-", "_")
