"""What people type about their group. Whether it is allowed is asked of the rules."""

from fund.organisations.rules import CHECKS, KINDS
from fund.web.forms import BaseForm, LineField, RadioField, Required, TextField, _l


class GroupForm(BaseForm):
    """A group or organisation: its name, what it is, and its number if it has one."""

    name = LineField(_l("What are you called?"), description=_l("The name that people know you by."),
                     validators=[Required(_l("Write the name of your group."))])
    kind = RadioField(_l("What are you?"), choices=[(str(kind), _l(name), _l(hint))
                                                    for kind, (name, hint) in KINDS.items()],
                      validators=[Required(_l("Choose what kind of group you are."))])
    register_number = LineField(_l("Your charity, company or society number, if you have one"), most_characters=20)


class FewForm(BaseForm):
    """A few people: a name is enough."""

    name = LineField(_l("What shall we call you?"), validators=[Required(_l("Write a name for your group."))],
                     description=_l("For example: Neighbours of Elm Street. Your own names stay between us."))


class PersonForm(BaseForm):
    """Somebody else who acts for the group."""

    email = LineField(_l("Their e-mail address"), validators=[Required(_l("Write their e-mail address."))])
    may_sign = RadioField(_l("What may they do?"), default="yes", choices=[
        ("yes", _l("Write and sign"), _l("They can send applications and accept money for the group.")),
        ("no", _l("Only write"), _l("They can help to write applications."))])


class AccountForm(BaseForm):
    """A bank account. The numbers are never filled in again on a page."""

    holder = LineField(_l("Name on the account"), most_characters=140,
                       validators=[Required(_l("Write the name on the account."))],
                       description=_l("Exactly as it stands on a bank statement."))
    sort_code = LineField(_l("Sort code"), most_characters=12, validators=[Required(_l("Write the sort code."))],
                          description=_l("Six digits, like 30-90-89."))
    account_number = LineField(_l("Account number"), most_characters=12, description=_l("Six to eight digits."),
                               validators=[Required(_l("Write the account number."))])


class HostForm(BaseForm):
    """A host to ask."""

    host = RadioField(_l("Who will you ask?"), choices=[], validators=[Required(_l("Choose an organisation."))])


class CheckForm(BaseForm):
    """What an officer checked."""

    kind = RadioField(_l("What did you check?"),
                      choices=[(str(kind), _l(name)) for kind, (name, _days) in CHECKS.items()],
                      validators=[Required(_l("Choose what you checked."))])
    passed = RadioField(_l("Did it pass?"), choices=[("yes", _l("Yes")), ("no", _l("No"))],
                        validators=[Required(_l("Say whether it passed."))])
    source = TextField(_l("Where did you look?"), most_characters=500, rows=3,
                       description=_l("So that somebody else could look again: the register, the letter, the date."),
                       validators=[Required(_l("Write where you looked."))])
