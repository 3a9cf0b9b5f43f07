"""Changing applications: beginning, saving, sending and taking back; and saying whether one goes to the panel."""

import uuid
from collections.abc import Mapping
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from fund import queue
from fund.applications import formats, queries
from fund.applications.models import Application, ApplicationFile, Eligibility, Submission, Withdrawal
from fund.applications.rules import (
    INELIGIBLE_BECAUSE,
    MOST_FILES,
    SubmitFacts,
    asked_of,
    problems,
    reasons_not_to_check,
    reasons_not_to_submit,
)
from fund.db import refusal, session
from fund.documents import queries as documents
from fund.kernel.actor import Actor, Capacity
from fund.kernel.errors import BadInput, Broken, Forbidden, NotFound, Refused, Stale, refuse_if
from fund.kernel.ids import new_id, new_reference
from fund.kernel.reasons import Reason
from fund.kernel.text import tidy
from fund.kernel.words import _
from fund.notifications.actions import send
from fund.organisations import queries as organisations
from fund.rounds import queries as rounds
from fund.settings import settings
from fund.transparency.actions import append_later, record_act


def _person(actor: Actor) -> uuid.UUID:
    if actor.person_id is None or actor.capacity is not Capacity.APPLICANT:
        raise Forbidden
    return actor.person_id


def _now() -> datetime:
    """The database's clock, which decides."""
    return session.execute(sa.select(sa.func.clock_timestamp())).scalar_one()


def start(actor: Actor, round_id: uuid.UUID, *, like: uuid.UUID | None = None) -> Application:
    """Begin an application in a round that is open, or give back the draft that this person has there already.

    `like` is another application of theirs whose answers are taken over. Raises Refused when the round is not open.
    """
    person_id = _person(actor)
    round_ = rounds.round(round_id)
    session.execute(sa.text("SELECT pg_advisory_xact_lock(hashtextextended(:key, 8))"),
                    {"key": f"{person_id}{round_id}"})
    draft = session.scalars(
        sa.select(Application).outerjoin(Submission, Submission.application_id == Application.id)
        .where(Application.round_id == round_id, Application.applicant_id == person_id, Submission.id.is_(None))
        .order_by(Application.created_at, Application.id).limit(1)).one_or_none()
    if draft is not None:
        return draft
    if not round_.is_open(_now()):
        raise Refused([Reason("not_open", _("This round is not open now."))])
    organisation_id, answers = _taken_over(person_id, like, rounds.form(round_.form_version_id))
    made = Application(id=new_id(), reference=new_reference("APP"), round_id=round_id, applicant_id=person_id,
                       organisation_id=organisation_id, answers=answers)
    session.add(made)
    session.flush()
    record_act(actor, "start_application", "application", made.id, application_id=made.id)
    return made


def _taken_over(person_id: uuid.UUID, like: uuid.UUID | None, form: Any) -> tuple[uuid.UUID | None, dict[str, Any]]:
    """Who they are and what they answered before, for the questions that this form asks too."""
    if like is None:
        mine = organisations.organisations_of(person_id)
        return (mine[0].id if len(mine) == 1 else None), {}
    earlier = session.scalars(sa.select(Application).where(Application.id == like,
                                                           queries.theirs(person_id))).one_or_none()
    if earlier is None:
        raise NotFound
    kinds = {question.id: question.kind for question in form.questions()}
    kept = {question_id: {"value": value, "version": 1} for question_id, value in earlier.values.items()
            if question_id in kinds and (kinds[question_id] == "costs") == isinstance(value, list)}
    return earlier.organisation_id, kept


def _draft(actor: Actor, application_id: uuid.UUID) -> Application:
    """The draft, locked for this transaction. Raises NotFound when it is not theirs, Refused when it was sent."""
    found = _own(actor, application_id)
    if _is_sent(application_id):
        raise Refused([Reason("sent", _("You have sent this application, so it does not change any more."))])
    return found


def _own(actor: Actor, application_id: uuid.UUID) -> Application:
    found = session.scalars(
        sa.select(Application).where(Application.id == application_id, queries.theirs(_person(actor)))
        .with_for_update(of=Application).execution_options(populate_existing=True)).one_or_none()
    if found is None:
        raise NotFound
    return found


def _is_sent(application_id: uuid.UUID) -> bool:
    """Asked after the lock is held, in a statement of its own, so that it sees what another has just sent."""
    return session.scalar(sa.select(Submission.id).where(Submission.application_id == application_id)) is not None


def _touch(application: Application) -> None:
    application.version += 1
    application.saved_at = sa.func.clock_timestamp()


def save(actor: Actor, application_id: uuid.UUID, *, answers: Mapping[str, Any], version: int | None = None,
         tab: str = "") -> Application:
    """Keep these answers as they were typed, right or wrong; also after the round has closed.

    `version` is the draft's version when the page was opened, and `tab` names the window it is open in, which may save
    again and again. Raises Stale, with both texts, when another window has since changed one of these same answers to
    something else; other answers may have changed, and both stand.
    """
    application = _draft(actor, application_id)
    form = rounds.form(rounds.round(application.round_id).form_version_id)
    typed = formats.answers_as_kept(form, answers)
    kept = application.answers
    if version is not None:
        moved = [question_id for question_id, value in typed.items() if question_id in kept
                 and kept[question_id]["version"] > version and kept[question_id]["value"] != value
                 and not (tab and kept[question_id].get("tab") == tab)]
        if moved:
            raise Stale(_("Somebody changed this answer after you opened the page. Nothing is lost."),
                        theirs={question_id: kept[question_id]["value"] for question_id in moved},
                        yours={question_id: typed[question_id] for question_id in moved})
    changed = {question_id: value for question_id, value in typed.items()
               if question_id not in kept or kept[question_id]["value"] != value}
    if changed:
        _touch(application)
        application.answers = {**kept, **{
            question_id: {"value": value, "version": application.version, **({"tab": tab[:40]} if tab else {})}
            for question_id, value in changed.items()}}
        session.flush()
    return application


def say_who(actor: Actor, application_id: uuid.UUID, *, organisation_id: uuid.UUID) -> Application:
    """Say for whom the application is: an organisation that this person acts for. Raises NotFound for any other."""
    application = _draft(actor, application_id)
    organisations.organisation_of(_person(actor), organisation_id)
    if application.organisation_id != organisation_id:
        application.organisation_id = organisation_id
        _touch(application)
        session.flush()
    return application


def attach(actor: Actor, application_id: uuid.UUID, *, file_id: uuid.UUID) -> None:
    """Add a file that this person has given. Raises NotFound for anybody else's, Refused above five."""
    application = _draft(actor, application_id)
    documents.file_of(_person(actor), file_id)
    here = queries.file_ids_of(application_id)
    if file_id in here:
        return
    if len(here) >= MOST_FILES:
        raise Refused([Reason("files", _("Five files are the most. Take one out first."))])
    session.add(ApplicationFile(application_id=application_id, file_id=file_id))
    _touch(application)
    session.flush()


def detach(actor: Actor, application_id: uuid.UUID, *, file_id: uuid.UUID) -> None:
    """Take a file out of a draft."""
    application = _draft(actor, application_id)
    session.execute(sa.delete(ApplicationFile).where(ApplicationFile.application_id == application_id,
                                                     ApplicationFile.file_id == file_id))
    _touch(application)
    session.flush()


def submit(actor: Actor, application_id: uuid.UUID, *, version: int | None = None) -> queries.SubmissionFacts:
    """Send the application: freeze a copy, write it on the record, tell the applicant, and give the copy.

    However often it is asked for (a double click, the back button, fifty posts at once) there is one submission, and
    everybody gets it. `version` is the draft that was read on the last page: Stale when it has changed since.
    Raises Refused with every reason. The database's clock decides whether it is in time.
    """
    application = _own(actor, application_id)
    if _is_sent(application_id):
        return queries.submission_of(application_id)
    if version is not None and application.version != version:
        raise Stale(_("The application has changed since you opened that page. Read it once more, then send it."))
    round_ = rounds.round(application.round_id)
    form = rounds.form(round_.form_version_id)
    organisation_id = application.organisation_id
    refuse_if(reasons_not_to_submit(
        SubmitFacts(has_organisation=organisation_id is not None,
                    may_sign=organisation_id is not None and organisations.may_sign(_person(actor), organisation_id),
                    opens_at=round_.opens_at, closes_at=round_.closes_at, now=_now()),
        problems(form, application.values, round_.rules)))
    return _freeze(actor, application, round_)


def _freeze(actor: Actor, application: Application, round_: rounds.RoundFacts) -> queries.SubmissionFacts:
    if application.organisation_id is None:
        raise Broken("an application without an organisation passed its rules")
    group = organisations.organisation(application.organisation_id)
    values, money = application.values, asked_of(application.values)
    if money.asked_pence is None:
        raise Broken("an application without an amount passed its rules")
    least_pence = money.least_pence if round_.rules.part_funding else None
    content = formats.frozen_content(
        reference=application.reference, round_reference=round_.reference, form=rounds.form(round_.form_version_id),
        group={"name": group.name, "kind": group.kind}, values=values, asked_pence=money.asked_pence,
        costs=[(line.what, line.pence) for line in money.lines], least_pence=least_pence,
        files=[{"id": str(file.id), "name": file.name, "sha256": file.sha256.hex()}
               for file in queries.files_of(application.id)])
    frozen = Submission(id=new_id(), application_id=application.id, organisation_id=group.id, content=content,
                        sha256=formats.content_sha256(content), title=tidy(values["title"]),
                        asked_pence=money.asked_pence, least_pence=least_pence, submitted_by=_person(actor))
    session.add(frozen)
    session.flush()
    record_act(actor, "submit_application", "application", application.id, application_id=application.id,
               asked_pence=money.asked_pence)
    sent = queries.submission_of(application.id)
    send("application_submitted", key=f"application_submitted:{application.id}", person_id=actor.person_id,
         reference=application.reference, asked_pence=frozen.asked_pence, sha256=frozen.sha256.hex(),
         check_by=queries.check_due_at(sent.submitted_at, round_).date().isoformat(), phone=settings().help_phone)
    append_later("application_received",
                 {"application": str(application.id), "round": str(round_.id), "sha256": frozen.sha256.hex()},
                 idem_key=f"application_received:{application.id}")
    return sent


def withdraw(actor: Actor, application_id: uuid.UUID) -> None:
    """Take back what was sent. A second time has no further effect.

    Raises Refused for a draft, and once the panel has decided: the database knows (`ck_sitting_open`), this part does
    not.
    """
    application = _own(actor, application_id)
    submission = session.scalar(sa.select(Submission.id).where(Submission.application_id == application_id))
    if submission is None:
        raise Refused([Reason("not_sent", _("You have not sent this application yet."))])
    row = sa.dialects.postgresql.insert(Withdrawal).values(application_id=application.id, withdrawn_by=actor.person_id)
    try:
        is_new = session.scalar(row.on_conflict_do_nothing().returning(Withdrawal.application_id)) is not None
    except sa.exc.DBAPIError as error:
        if refusal(error)[1] != "ck_sitting_open":
            raise
        raise Refused([Reason("decided", _("The panel has decided about it, so you cannot take it back. You can say no "
                                           "to an offer."))]) from error
    if is_new:
        record_act(actor, "withdraw_application", "application", application.id, application_id=application.id)


def check_eligibility(actor: Actor, application_id: uuid.UUID, *, eligible: bool,
                      reason: str | None = None) -> Eligibility:
    """Say, as an officer, that a submission may go to the panel, or give the one listed reason why not.

    Said once: the same answer again gives the one that stands, another raises Stale. What is eligible is put before
    the panel by a job. Raises Refused for an officer who is tied to the group, and when it was taken back.
    """
    if actor.capacity is not Capacity.OFFICER or actor.person_id is None:
        raise Forbidden
    if eligible != (reason is None) or (reason is not None and reason not in INELIGIBLE_BECAUSE):
        raise BadInput(_("Choose one of the listed reasons."), field="reason")
    submission = queries.submission_of(application_id)
    # The same lock that taking it back takes, so that one of the two sees the other.
    session.execute(sa.select(Application.id).where(Application.id == application_id).with_for_update())
    withdrawn = session.scalar(sa.select(Withdrawal.application_id).where(Withdrawal.application_id == application_id))
    standing = session.get(Eligibility, application_id, populate_existing=True)
    if standing is not None:
        if (standing.eligible, standing.reason) != (eligible, reason):
            raise Stale(_("Somebody has already said whether this goes to the panel."))
        return standing
    refuse_if(reasons_not_to_check(
        withdrawn=withdrawn is not None,
        is_applicant=actor.person_id in {submission.applicant_id, submission.submitted_by},
        has_interest=organisations.has_interest(actor.person_id, submission.organisation_id)))
    made = Eligibility(application_id=application_id, eligible=eligible, reason=reason, checked_by=actor.person_id)
    session.add(made)
    session.flush()
    record_act(actor, "check_eligibility", "application", application_id, application_id=application_id,
               eligible=eligible, reason=reason)
    if reason is not None:
        send("application_not_eligible", key=f"application_not_eligible:{application_id}",
             person_id=submission.submitted_by, reference=submission.reference, reason=reason,
             phone=settings().help_phone)
    if eligible:
        queue.ask("panels.put_before_the_panel", key=f"panels.put_before_the_panel:{application_id}",
                  application_id=str(application_id))
    return made
