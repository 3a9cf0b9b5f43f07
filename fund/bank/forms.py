"""The forms of the bank's side."""

from fund.bank.actions import MOST_WORDS
from fund.web.forms import BaseForm, DayField, FileField, HiddenField, Required, TextField, TickField, _l


class BuildForm(BaseForm):
    """Putting the waiting payments together."""

    execute_on = DayField(_l("On which day should the bank pay?"), validators=[
        Required(_l("Give the day on which the bank should pay."))])


class AuthoriseForm(BaseForm):
    """Authorising a batch: it repeats the total and the code that the page showed."""

    total_pence = HiddenField()
    lines_sha256 = HiddenField()
    sure = TickField(_l("I have compared the total and the payments with what was approved"), validators=[
        Required(_l("Tick the box to say that you have compared them."))])


class SetAsideForm(BaseForm):
    """Not sending a batch."""

    words = TextField(_l("Why should it not be sent?"), most_characters=MOST_WORDS, rows=3, validators=[
        Required(_l("Say why in a sentence, for whoever approves them again."))])


class AnswerForm(BaseForm):
    """An answer of the bank, brought by hand."""

    file = FileField(_l("The bank’s file"), validators=[Required(_l("Choose the file that the bank gave you."))])
