"""What a group shows for a stage, and what an officer makes of it."""

import uuid
from collections.abc import Collection

from fund.db import session
from fund.documents import queries as documents
from fund.grants import queries, rules
from fund.grants.actions.asked import in_capacity, person_of, said_plainly, tell, words_of
from fund.grants.models import (
    Evidence,
    EvidenceFile,
    EvidenceReview,
)
from fund.kernel import ids
from fund.kernel.actor import Actor, Capacity
from fund.kernel.errors import BadInput, Stale, refuse_if
from fund.kernel.words import _
from fund.transparency.actions import record_act


def send_evidence(actor: Actor, stage_id: uuid.UUID, *, story: str,
                  file_ids: Collection[uuid.UUID] = ()) -> Evidence:
    """Show what was done for a stage: a story, and photos or papers that this person gave before."""
    grant = queries.grant_of_stage_for(actor.person_id, stage_id)
    told = words_of(story, "story", rules.MOST_STORY, _("Tell us in about three sentences what happened."))
    if len(set(file_ids)) > rules.MOST_FILES:
        raise BadInput(_("Choose at most %(most)s files.", most=rules.MOST_FILES), field="files")
    stage = grant.stage(stage_id)
    refuse_if(rules.reasons_not_to_send_evidence(stage.state))
    files = [documents.file_of(person_of(actor), file_id) for file_id in sorted(set(file_ids))]
    sent = Evidence(id=ids.new_id(), stage_id=stage_id, number=stage.evidence_count + 1, story=told,
                    sent_by=person_of(actor))
    with said_plainly():
        session.add(sent)
        session.flush()
    session.add_all(EvidenceFile(evidence_id=sent.id, file_id=file.id, sha256=file.sha256) for file in files)
    session.flush()
    record_act(actor, "send_evidence", "stage", stage_id, application_id=grant.application_id, files=len(files))
    return sent


def review_evidence(actor: Actor, evidence_id: uuid.UUID, *, accepted: bool, words: str = "") -> EvidenceReview:
    """Accept an evidence, or ask the group for more in kind words. Once; by an officer who is not of the group."""
    officer = in_capacity(actor, Capacity.OFFICER)
    found = queries.evidence(evidence_id)
    grant = queries.grant_of_stage(found.stage_id)
    stage = grant.stage(found.stage_id)
    said = words.strip() if accepted else words_of(words, "words", rules.MOST_WORDS, _("Say what is missing, and how "
                                                                                     "the group can show it."))
    refuse_if(rules.reasons_not_to_review(
        stage.state, queries.hand(officer, "officer", grant, step_before=(found.sent_by,)),
        newest=stage.evidence_id == evidence_id))
    review = EvidenceReview(evidence_id=evidence_id, accepted=accepted, words=said, reviewed_by=officer)
    with said_plainly(_already_reviewed):
        session.add(review)
        session.flush()
    record_act(actor, "accept_evidence" if accepted else "ask_for_more", "stage", stage.id,
               application_id=grant.application_id)
    if not accepted:
        tell("evidence_more_asked", grant.organisation_id, key=f"more-asked/{evidence_id}",
              reference=grant.reference, stage=stage.number)
    return review


def _already_reviewed() -> Stale:
    return Stale(_("Somebody else dealt with this evidence a moment ago. Nothing was changed by you."))
