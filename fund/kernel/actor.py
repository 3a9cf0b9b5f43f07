"""Who acts, and in what capacity. Every action takes one; every act on the record names one."""

import uuid
from dataclasses import dataclass
from enum import StrEnum


class Capacity(StrEnum):
    """In what part somebody acts. The database repeats this list as `ck_act_capacity`."""

    APPLICANT = "applicant"
    READER = "reader"
    CHAIR = "chair"
    OFFICER = "officer"  # checks, eligibility, evidence
    APPROVER = "approver"  # finance A: approves the release of a stage
    AUTHORISER = "authoriser"  # finance B: authorises a batch
    TRUSTEE = "trustee"
    SYSTEM = "system"  # jobs and the bank's files


#: The capacities of people whom the fund employs or appoints. None of them can touch a score or a decision.
STAFF = frozenset({Capacity.OFFICER, Capacity.APPROVER, Capacity.AUTHORISER, Capacity.TRUSTEE})


@dataclass(frozen=True, slots=True)
class Actor:
    """A person acting in one capacity; `seat_id` when they act from a panel's seat. The system has no person."""

    capacity: Capacity
    person_id: uuid.UUID | None = None
    seat_id: uuid.UUID | None = None


SYSTEM = Actor(Capacity.SYSTEM)
