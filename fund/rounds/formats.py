"""The form as it is kept: pages of questions, as data. A published version never changes.

A question: `id`, `kind` (line, text, choice, costs, money), `label`, `hint`, `why` (why we ask), `must` (it must be
answered), and its limits (`most_characters`, `most_words`, `choices`). The words are English and marked for the
catalogues; pages look them up. `costs` comes as rows of what and how much; `money` as an amount in pounds.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from fund.kernel.errors import BadInput
from fund.kernel.words import N_

KINDS = frozenset({"line", "text", "choice", "costs", "money"})

#: The short form for small grants.
SMALL_GRANT: dict[str, Any] = {"pages": [
    {"id": "what", "title": N_("What you want to do"), "questions": [
        {"id": "title", "kind": "line", "label": N_("What do you want to do, in one line?"), "must": True,
         "hint": N_("For example: Benches and a tree in Alder Park."), "most_characters": 100,
         "why": N_("It is the name of your application. Everybody will see it.")},
        {"id": "what", "kind": "text", "label": N_("Tell us more"), "must": True,
         "most_words": 250, "most_characters": 2500,
         "hint": N_("What will happen, who will do it, and by when? Short is fine."),
         "why": N_("Readers use it to see whether it can be done.")}]},
    {"id": "for-whom", "title": N_("Who it is for"), "questions": [
        {"id": "for_whom", "kind": "text", "must": True,
         "label": N_("Who is it for, and what will be better for them?"), "most_words": 150,
         "most_characters": 1500, "hint": N_("Say how you know. Talking to neighbours counts."),
         "why": N_("Readers use it to see how much good it does, and whether everyone can join in.")},
        {"id": "where", "kind": "line", "label": N_("Where will it happen?"), "must": True, "most_characters": 200,
         "hint": N_("A park, a hall, a street. Give the postcode if there is one."),
         "why": N_("The money is for this neighbourhood.")}]},
    {"id": "costs", "title": N_("What it costs"), "questions": [
        {"id": "costs", "kind": "costs", "label": N_("What will you spend the money on?"), "must": True,
         "hint": N_("One line for each thing. Running costs like rent, wages and insurance are fine."),
         "why": N_("Readers use it to see whether the costs add up.")},
        {"id": "asked", "kind": "money", "label": N_("How much are you asking for?"), "must": True,
         "hint": N_("It must be the same as your lines added up. We ask twice to catch a slip."), "why": ""},
        {"id": "least", "kind": "money", "label": N_("What is the least that would still help?"), "must": False,
         "hint": N_("If the money does not reach for all of it, the panel may offer you less, but never less than "
                    "this. Leave it empty if only the whole amount would do."), "why": ""}]},
    {"id": "duty", "title": N_("What the law asks for"), "questions": [
        {"id": "statutory_duty", "kind": "choice", "must": True,
         "label": N_("Is this something that a council, school or the NHS must do by law anyway?"),
         "hint": "", "why": N_("We add to what public bodies must do. We do not pay for it instead of them."),
         "choices": [["no", N_("No")], ["yes", N_("Yes")], ["not_sure", N_("I am not sure")]]}]},
]}


@dataclass(frozen=True, slots=True)
class Question:
    """One question of a form."""

    id: str
    kind: str
    label: str
    hint: str = ""
    why: str = ""
    must: bool = False
    most_characters: int | None = None
    most_words: int | None = None
    choices: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class Page:
    """The questions that are asked together."""

    id: str
    title: str
    questions: tuple[Question, ...]


@dataclass(frozen=True, slots=True)
class Form:
    """A version of a form, read."""

    name: str
    version: int
    pages: tuple[Page, ...]

    def questions(self) -> Iterator[Question]:
        """Every question in its order."""
        for page in self.pages:
            yield from page.questions

    def page(self, page_id: str) -> Page | None:
        """The page of that id."""
        return next((page for page in self.pages if page.id == page_id), None)

    def page_of(self, question_id: str) -> Page | None:
        """The page that asks this question."""
        return next((page for page in self.pages if any(q.id == question_id for q in page.questions)), None)


def form_from_definition(name: str, version: int, definition: dict[str, Any]) -> Form:
    """Read a definition. Raises BadInput when it is not one: ids used twice, unknown kinds, or `asked` missing."""
    try:
        pages = tuple(Page(page["id"], page["title"], tuple(_question(each) for each in page["questions"]))
                      for page in definition["pages"])
    except (KeyError, TypeError) as error:
        raise BadInput("The form's definition has an unknown shape.", field="definition") from error
    form = Form(name, version, pages)
    questions = {question.id: question for question in form.questions()}
    if len(questions) != sum(len(page.questions) for page in pages) or len({page.id for page in pages}) != len(pages):
        raise BadInput("Each page and each question needs an id of its own.", field="definition")
    for needed, kind in {"title": "line", "costs": "costs", "asked": "money", "least": "money"}.items():
        if needed not in questions or questions[needed].kind != kind:
            raise BadInput(f"A form needs the question {needed} of the kind {kind}.", field="definition")
    return form


def _question(kept: dict[str, Any]) -> Question:
    if kept["kind"] not in KINDS:
        raise BadInput(f"No question is of the kind {kept['kind']}.", field="definition")
    return Question(**{**kept, "choices": tuple((value, label) for value, label in kept.get("choices", ()))})
