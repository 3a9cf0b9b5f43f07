"""What only a demo has: letting the pretend bank's next day come, so that a visitor need not wait for it."""

from flask import Blueprint, redirect, render_template, url_for
from werkzeug.wrappers import Response

from fund.replay import bank
from fund.settings import settings
from fund.web import access
from fund.web.forms import BaseForm

blueprint = Blueprint("demo", __name__)


@blueprint.get("/demo/bank")
@access.demo
def bank_day() -> str:
    """Which day it is at the pretend bank, and a button that lets the next one come."""
    day = bank.today_at_the_bank() if settings().bank_url else None
    return render_template("demo/bank.html", form=BaseForm(), day=day)


@blueprint.post("/demo/bank")
@access.demo
def next_bank_day() -> Response:
    """Let the bank's next days come, so that what was sent is booked, and read what it says."""
    bank.let_days_pass(3)
    return redirect(url_for("demo.bank_day"))
