"""Applications for tests, written and sent by the part's own actions."""

import uuid
from typing import Any

from fund.applications import actions
from fund.applications.models import Application
from fund.applications.queries import SubmissionFacts
from fund.kernel.actor import Actor, Capacity
from tests.make import organisations, people, rounds

#: Good answers to the short form: £480 in two lines.
ANSWERS: dict[str, Any] = {
    "title": "Benches and a tree in Alder Park",
    "what": "We will put in two benches and plant one tree with the children of the street in March.",
    "for_whom": "Older neighbours who need a rest on the way to the shops. Forty of them told us so.",
    "where": "Alder Park, M12 4AB",
    "costs": [{"what": "Two benches", "amount": "400"}, {"what": "A tree and a stake", "amount": "80"}],
    "asked": "480", "least": "400", "statutory_duty": "no",
}


def answers(*, asked_pence: int = 48_000, least_pence: int | None = None, **others: Any) -> dict[str, Any]:
    """Good answers that ask for this much, in one cost line."""
    money = f"{asked_pence // 100}.{asked_pence % 100:02d}"
    least = "" if least_pence is None else f"{least_pence // 100}.{least_pence % 100:02d}"
    return {**ANSWERS, "asked": money, "least": least, "costs": [{"what": "All of it", "amount": money}], **others}


def draft(*, person_id: uuid.UUID | None = None, round_id: uuid.UUID | None = None,
          organisation_id: uuid.UUID | None = None, answers: dict[str, Any] | None = None) -> Application:
    """A draft that could be sent as it stands."""
    actor = Actor(Capacity.APPLICANT, person_id or people.make_person().id)
    made = actions.start(actor, round_id or rounds.published().id)
    organisation_id = organisation_id or organisations.organisation(person_id=actor.person_id).id
    actions.say_who(actor, made.id, organisation_id=organisation_id)
    return actions.save(actor, made.id, answers=ANSWERS if answers is None else answers)


def submitted(**kwargs: Any) -> SubmissionFacts:
    """An application that was sent; takes what `draft` takes."""
    made = draft(**kwargs)
    return actions.submit(Actor(Capacity.APPLICANT, made.applicant_id), made.id)


def eligible(*, officer_id: uuid.UUID | None = None, **kwargs: Any) -> SubmissionFacts:
    """An application that an officer passed on to the panel (the job is asked for, not done)."""
    sent = submitted(**kwargs)
    actions.check_eligibility(Actor(Capacity.OFFICER, officer_id or people.make_person().id), sent.application_id,
                              eligible=True)
    return sent
