"""The forms of grants: the shape of what is sent. Whether it is allowed is asked of the rules."""

from fund.grants.rules import MOST_PLAN, MOST_STORY, MOST_WORDS
from fund.web.forms import BaseForm, FileField, HiddenField, RadioField, Required, TextField, TickField, _l


class OfferForm(BaseForm):
    """Signing an offer."""

    terms_version = HiddenField()
    spending_plan = TextField(_l("How will you spend it?"), most_characters=MOST_PLAN, rows=5,
                              validators=[Required(_l("Say in a few lines how you will spend it."))])
    agree = TickField(_l("I may sign for my group, and we agree to the terms"), validators=[
        Required(_l("Tick the box to say that your group agrees."))])


class DeclineForm(BaseForm):
    """Saying no to an offer."""

    sure = TickField(_l("We do not want this money"), validators=[
        Required(_l("Tick the box to say that you are sure."))])


class PayeeForm(BaseForm):
    """Where the money goes. The choices are set by the page."""

    account = RadioField(_l("Which account should the money go to?"), choices=[], validators=[
        Required(_l("Choose an account."))])


class EvidenceForm(BaseForm):
    """Showing what was done. Files can be left out; three boxes, because one that takes several is hard on phones."""

    story = TextField(_l("What happened?"), most_characters=MOST_STORY, rows=6, validators=[
        Required(_l("Tell us in about three sentences what happened."))])
    first_file = FileField(_l("A photo, or a paper"))
    second_file = FileField(_l("Another one"))
    third_file = FileField(_l("And another"))

    FILES = ("first_file", "second_file", "third_file")


class ReviewForm(BaseForm):
    """What an officer says to an evidence."""

    answer = RadioField(_l("Does it show what was promised?"), choices=[
        ("accept", _l("Yes, accept it"), _l("A second person may then approve the payment.")),
        ("more", _l("Not yet, ask for more"), _l("The group reads your words and sends more."))],
        validators=[Required(_l("Choose yes or not yet."))])
    words = TextField(_l("What do you need? Write it as you would say it to them"), most_characters=MOST_WORDS, rows=4)


class ApproveForm(BaseForm):
    """Approving the payment of a stage."""

    sure = TickField(_l("I have read what was promised and what was shown"), validators=[
        Required(_l("Tick the box to say that you have read both."))])
