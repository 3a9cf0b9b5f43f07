"""How the fields are drawn: govuk-frontend-wtf's widgets over the GOV.UK components, rendered without the page's own
context (which its `render_template` would build again for every field).
"""

import json
from functools import lru_cache
from typing import Any

from flask import current_app
from govuk_frontend_wtf import wtforms_widgets as govuk
from markupsafe import Markup

from fund.kernel.words import _
from fund.web.templates import FoldingEnvironment


def draw(template: str, **values: Any) -> Markup:
    """Render a template with these values alone."""
    return Markup(current_app.jinja_env.get_template(template).render(**values))  # noqa: S704  autoescaped within


@lru_cache(maxsize=1000)
def _empty_field(templates: FoldingEnvironment, template: str, params: str) -> Markup:
    """A field in which nobody has typed is the same for everybody: drawn once a language by each process."""
    return Markup(templates.get_template(template).render(params=json.loads(params)))  # noqa: S704  autoescaped within


class _Quick:
    """Renders through `draw`; a label or legend is bold, and a hint is there only when it says something."""

    template: str

    def render(self, params: dict[str, Any]) -> Markup:
        """The field as HTML."""
        params.setdefault("label", {}).setdefault("classes", "govuk-label--s")
        if "fieldset" in params:
            params["fieldset"]["legend"].setdefault("classes", "govuk-fieldset__legend--s")
        if not (params.get("hint") or {}).get("text"):
            params["hint"] = None
        if params.get("errorMessage"):
            params["errorMessage"]["visuallyHiddenText"] = _("To mend")
        # `required` would have the browser answer in its own words and its own language; ours are on the page.
        params["attributes"] = {name: value for name, value in (params.get("attributes") or {}).items()
                                if name not in {"required", "maxlength", "minlength"}}
        if params.get("value") or params.get("errorMessage"):  # somebody's words: drawn for them, and not kept
            return draw(self.template, params=params)
        told = json.dumps(params, default=str)
        return _empty_field(current_app.jinja_env, self.template, told)


class Line(_Quick, govuk.GovTextInput):
    """One line. The field may say `input_type`, `inputmode`, `autocomplete`, `prefix` and `classes`."""

    def map_gov_params(self, field: Any, **kwargs: Any) -> dict[str, Any]:
        """What the component is told."""
        params = super().map_gov_params(field, **kwargs)
        params |= {name: value for name in ("inputmode", "autocomplete", "classes", "prefix", "spellcheck", "type")
                   if (value := getattr(field, name if name != "type" else "input_type", None)) is not None}
        return params


class File(_Quick, govuk.GovFileInput):
    """A file."""


class Text(_Quick, govuk.GovTextArea):
    """Several lines; one with a limit says so under it, and the browser counts along."""

    def map_gov_params(self, field: Any, **kwargs: Any) -> dict[str, Any]:
        """What the component is told."""
        params = super().map_gov_params(field, **kwargs)
        params["rows"] = field.rows
        if field.counted:
            params["describedBy"] = f"{field.id}-count"
        return params

    def __call__(self, field: Any, **kwargs: Any) -> Markup:
        """The box, and its limit when it has one."""
        box = super().__call__(field, **kwargs)
        return draw("components/_counted.html", field=field, box=box) if field.counted else box


class Day(_Quick, govuk.GovDateInput):
    """A day, in three boxes whose labels are in the reader's language."""

    def map_gov_params(self, field: Any, **kwargs: Any) -> dict[str, Any]:
        """What the component is told."""
        params = super().map_gov_params(field, **kwargs)
        for item, label in zip(params["items"], (_("Day"), _("Month"), _("Year")), strict=True):
            item["label"] = label
        return params


class Select(_Quick, govuk.GovSelect):
    """One of a long list."""


class _Several(_Quick):
    """Answers to choose from. The third of a choice, when there is one, is what follows from it, shown beside it."""

    def __call__(self, field: Any, **kwargs: Any) -> Markup:
        """Every answer as an item of the component."""
        kwargs.setdefault("id", field.id)
        kwargs["items"] = [
            {"value": choice.value, "text": choice.label, "checked": choice.selected,
             "hint": {"text": choice.render_kw} if choice.render_kw else None}
            for choice in field.iter_choices()]
        return govuk.GovFormBase.__call__(self, field, **kwargs)


class Radios(_Several, govuk.GovRadioInput):
    """One of a few."""


class Checkboxes(_Several, govuk.GovCheckboxesInput):
    """Any of a few."""


class Tick(_Quick, govuk.GovCheckboxInput):
    """One thing to tick."""
