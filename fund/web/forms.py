"""The form that every page's form is, and its fields.

    class NameForm(BaseForm):
        name = LineField(_l("Your name"), validators=[Required(_l("Write your name."))])

    form = NameForm()
    if form.validate_on_submit(): …redirect
    return form.page("people/profile.html")        # 200 for a GET, 422 when what was sent does not validate

In the template: `{{ form.summary() }}` on top, `<form method="post" novalidate>{{ form.csrf_token }}` and each
`{{ form.name }}`. A form says what shape the words must have; whether it is allowed is asked of the rules.
"""

from typing import Any

from flask import render_template
from flask_wtf import FlaskForm
from markupsafe import Markup

from fund.kernel.errors import BadInput, Refused
from fund.web import kept
from fund.web.fields import (
    CheckboxesField,
    DayField,
    EmailField,
    FileField,
    HiddenField,
    LineField,
    MoneyField,
    RadioField,
    Required,
    SelectField,
    TextField,
    TickField,
)
from fund.web.widgets import draw
from fund.web.words import _l

__all__ = ["BaseForm", "CheckboxesField", "DayField", "EmailField", "FileField", "HiddenField", "LineField",
           "MoneyField", "PressForm", "RadioField", "Required", "SelectField", "TextField", "TickField", "_l"]


class BaseForm(FlaskForm):
    """A form with its token, its words in the reader's language, and its errors in one list on top."""

    _is_refused = False

    class Meta(FlaskForm.Meta):
        """The messages are ours, each on its validator: WTForms' own never show."""

        locales = ["en"]

        def wrap_formdata(self, form: Any, formdata: Any) -> Any:
            """What was sent; on a page that somebody came back to after signing in, what they had typed."""
            found = super().wrap_formdata(form, formdata)
            return kept.fields_for_this_page() if found is None else found

    def summary(self) -> Markup:
        """The list of everything to mend, each linked to its field; empty when there is nothing."""
        errors = [{"text": str(field.errors[0] if isinstance(field.errors, (list, tuple)) else field.errors),
                   "href": "#" + getattr(field, "first_id", field.id)}
                  for field in self if field.errors and field.name != "csrf_token"]
        errors += [{"text": str(sentence)} for sentence in self.form_errors]
        return draw("components/_summary.html", errors=errors) if errors else Markup()

    def blame(self, error: BadInput | Refused) -> None:
        """Put an action's BadInput beside the field that it names, or on top; why it may not be, on top."""
        if isinstance(error, Refused):
            self.form_errors += [reason.sentence for reason in error.reasons]
            self._is_refused = True
            return
        field = self._fields.get(error.field or "")
        if field is None:
            self.form_errors.append(str(error))
        else:
            field.errors = [*field.errors, str(error)]

    def page(self, template: str, **values: Any) -> tuple[str, int]:
        """The page with this form: 422 when it was sent and something is to be mended, 409 when it may not be, else
        200. Whatever was typed is in it."""
        wrong = bool(self.errors) or bool(self.form_errors)
        return render_template(template, form=self, **values), 409 if self._is_refused else 422 if wrong else 200


class PressForm(BaseForm):
    """One button and nothing to fill in: its token is all that it sends."""
