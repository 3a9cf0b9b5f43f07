"""The forms of signing in and of the profile: what shape the words must have."""

import re

from wtforms.validators import StopValidation

from fund.kernel.words import _
from fund.people.rules import CODE_DIGITS, LONGEST_NAME
from fund.web.forms import BaseForm, EmailField, HiddenField, LineField, RadioField, Required, _l
from fund.web.words import LANGUAGES


class CodeField(LineField):
    """A code from a letter: a keyboard of numbers, and phones offer the code themselves."""

    inputmode, autocomplete, classes, spellcheck = "numeric", "one-time-code", "govuk-input--width-10", False


class NameField(LineField):
    """Somebody's own name."""

    autocomplete, spellcheck = "name", False


class SignInForm(BaseForm):
    """An address to write to. `next` is the page to come back to, `kept` what was being sent when it was asked for."""

    email = EmailField(_l("Your e-mail address"), most_characters=254,
                       validators=[Required(_l("Write your e-mail address."))],
                       description=_l("We send you a link and a code. You need no password."))
    next = HiddenField()
    kept = HiddenField()


class CodeForm(BaseForm):
    """The code of the letter; spaces and hyphens do not matter."""

    code = CodeField(_l("The code from the e-mail"), most_characters=20, validators=[Required(_l("Write the code."))],
                     description=_l("It has 6 numbers."))

    def validate_code(self, field: LineField) -> None:
        """Six digits, however they are spaced."""
        field.data = re.sub(r"[\s-]", "", field.data or "")
        if not re.fullmatch(rf"[0-9]{{{CODE_DIGITS}}}", field.data):
            raise StopValidation(_("Write the 6 numbers from the e-mail."))


class ProfileForm(BaseForm):
    """What people call somebody, and the language in which the fund writes to them."""

    name = NameField(_l("Your name"), most_characters=LONGEST_NAME, validators=[Required(_l("Write your name."))],
                     description=_l("What your neighbours call you. Your group and our officers see it."))
    language = RadioField(_l("We write to you in"), choices=list(LANGUAGES.items()),
                          validators=[Required(_l("Choose a language."))])
