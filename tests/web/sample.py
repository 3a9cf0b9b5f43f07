"""Pages that exist only in tests: every field, every piece, and every way in which a view can end."""

from datetime import UTC, date, datetime
from typing import Any

import flask
import sqlalchemy as sa
from flask import Blueprint, current_app, redirect, render_template
from flask_login import UserMixin

from fund.db import session
from fund.kernel import errors
from fund.kernel.actor import Capacity
from fund.kernel.reasons import Reason
from fund.kernel.waiting import Waiting
from fund.queue import Outbox
from fund.web import access, limits
from fund.web.forms import (
    BaseForm,
    CheckboxesField,
    DayField,
    EmailField,
    FileField,
    LineField,
    MoneyField,
    RadioField,
    Required,
    SelectField,
    TextField,
    TickField,
    _l,
)

blueprint = Blueprint("sample", __name__, url_prefix="/sample", template_folder="templates")

INTERESTS = [("none", _l("I do not know them"), _l("You can read and score this one.")),
             ("neighbour", _l("My neighbour runs it"), _l("You can read it. The chair decides whether you score it.")),
             ("family", _l("My family would use it"), _l("Somebody else reads it in your place.")),
             ("unsure", _l("Not sure, ask"), _l("We ask the chair. Meanwhile you do not see it."))]


class SampleForm(BaseForm):
    """Every field once."""

    name = LineField(_l("Your group's name"), description=_l("As people call it."),
                     validators=[Required(_l("Write your group's name."))])
    email = EmailField(_l("E-mail address"))
    story = TextField(_l("What would you do?"), most_words=12, description=_l("In your own words."))
    note = TextField(_l("Anything else?"), most_characters=40, rows=2)
    amount = MoneyField(_l("How much do you ask for?"), description=_l("Up to £10,000."),
                        validators=[Required(_l("Write an amount."))])
    interest = RadioField(_l("Do you know the people who ask?"), choices=INTERESTS,
                          validators=[Required(_l("Choose the one that fits best."))])
    helped_by = CheckboxesField(_l("Who helps?"), choices=[("a", _l("Volunteers")),
                                                         ("b", _l("A host"), _l("They hold the money for you."))])
    size = SelectField(_l("How many people?"), choices=[("", _l("Choose")), ("few", _l("A few")), ("many", _l("Many"))])
    starts_on = DayField(_l("When does it start?"), description=_l("For example 14 3 2027."))
    plan = FileField(_l("A plan or a picture"))
    agreed = TickField(_l("We agreed this together"), validators=[Required(_l("Tick it when you have agreed."))])


@blueprint.route("/form", methods=["GET", "POST"])
@access.public
def form() -> Any:
    """Every field."""
    given = SampleForm()
    if given.validate_on_submit():
        return redirect("/sample/form", 303)
    return given.page("sample/form.html")


@blueprint.get("/pieces")
@access.public
def pieces() -> Any:
    """Every component."""
    waiting = [Waiting("Read three applications and lock your scores", "sample.form", {}, "Read them",
                       datetime(2027, 3, 14, 12, tzinfo=UTC)),
               Waiting("Send the photo of the new benches", "sample.form", {}, "Send it",
                       datetime(2026, 11, 2, 23, 59, tzinfo=UTC)),
               Waiting("Your application is being read by 3 residents", "sample.form", {}, "",
                       datetime(2027, 3, 20, tzinfo=UTC), "The panel of Ancoats")]
    return render_template("sample/pieces.html", waiting=waiting, on=date(2027, 3, 14))


def plain(text: Any) -> flask.Response:
    """Plain text: no page, so nothing for the client to check."""
    return flask.Response(str(text), mimetype="text/plain")


def write(key: int, other: int | None = None) -> None:
    """A row in the table that the tests made."""
    session.execute(sa.text("INSERT INTO sample (id, other) VALUES (:key, :other)"), {"key": key, "other": other})


@blueprint.get("/end/<kind>")
@blueprint.post("/end/<kind>")
@access.public
def end(kind: str) -> Any:
    """Write a row, then end in the way that the address names."""
    if flask.request.method == "POST":
        write(1, other=99 if kind == "late-refusal" else None)
    match kind:
        case "refused":
            raise errors.Refused([Reason("a", "The evidence is not accepted yet."),
                                  Reason("b", "The bank has not been checked.")])
        case "forbidden":
            raise errors.Forbidden
        case "not-found":
            raise errors.NotFound
        case "stale":
            raise errors.Stale("Ana saved it at noon.", theirs="A bench", yours="Two benches")
        case "bad-input":
            raise errors.BadInput("The postcode is too short.", field="postcode", row=12)
        case "outside":
            raise errors.OutsideDown
        case "broken":
            raise errors.Broken("a secret detail")
        case "twice":
            write(1)
        case "status-422":
            return plain("no"), 422
        case "writes-in-get":
            write(2)
        case "dirty":
            session.add(Outbox(job="x", args={}))
    return redirect("/sample/form", 303)


@blueprint.route("/mine", methods=["GET", "POST"])
@access.signed_in
def mine() -> Any:
    """For people who are signed in."""
    return plain("mine")


@blueprint.route("/staff", methods=["GET", "POST"])
@access.staff(Capacity.OFFICER, Capacity.APPROVER)
def staff() -> Any:
    """For two capacities."""
    return plain(access.actor(Capacity.OFFICER).person_id)


@blueprint.route("/seat", methods=["GET", "POST"])
@access.seat
def seat() -> Any:
    """Which role the transaction acts in."""
    return plain("|".join(session.execute(sa.text(
        "SELECT current_user, coalesce(current_setting('fund.person', true), '')")).one()))


@blueprint.get("/demo")
@access.demo
def demo() -> Any:
    """Only outside production."""
    return plain("demo")


@blueprint.post("/often")
@limits.at_most("3 per minute")
@access.public
def often() -> Any:
    """Three times a minute."""
    return plain("done")


@blueprint.post("/json")
@access.public
def json() -> Any:
    """Read JSON."""
    return {"keys": len(flask.request.get_json())}


@blueprint.get("/number/<int:number>")
@access.public
def number(number: int) -> Any:
    """A number in the address."""
    return plain(number)


class Person(UserMixin):
    """A person as people's loader would give."""

    def __init__(self, id: Any, name: str, capacities: Any = ()) -> None:
        self.id, self.name, self.email, self.capacities = id, name, f"{name}@example.org", frozenset(capacities)


def load(key: str) -> Person | None:
    """Whoever the test put among the application's people."""
    found: dict[str, Person] = current_app.extensions["sample_people"]
    return found.get(key)
