"""How people sign in, and who may be given a capacity. Pure: every fact is an argument."""

import hashlib
import json
import re
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from email_validator import EmailNotValidError, validate_email

from fund.kernel.actor import STAFF, Actor, Capacity
from fund.kernel.errors import BadInput
from fund.kernel.reasons import Reason
from fund.kernel.words import _

LINK_LASTS = timedelta(minutes=15)
CODE_DIGITS = 6
CODE_TRIES = 5
#: Tries at codes for one address in a day, whoever makes them: 50 in a million is what a guesser gets.
CODE_TRIES_A_DAY = 50
SESSION_LASTS = timedelta(days=14)
STAFF_SESSION_LASTS = timedelta(hours=10)

LANGUAGES = ("en", "cy")
LONGEST_NAME = 100
LONGEST_WAY_BACK = 1000
#: Characters of a form that are kept while somebody signs in. More would let strangers fill the store.
MOST_WORDS = 400_000

# Controls, what turns the direction of writing, what has no width: none of it belongs in a name.
_UNSEEN = re.compile("[\x00-\x1f\x7f-\x9f\u00ad\u061c\u180e\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\uffff]")
# What neither PostgreSQL nor UTF-8 has a place for.
_UNKEEPABLE = re.compile("[\x00\ud800-\udfff]")


@dataclass(frozen=True, slots=True)
class SignInFacts:
    """What decides about one sign-in request. `tries_today` counts all codes tried for its address in 24 hours."""

    expires_at: datetime
    used_at: datetime | None
    code_tries: int = 0
    tries_today: int = 0


def reasons_not_to_sign_in(facts: SignInFacts, now: datetime) -> list[Reason]:
    """Why a letter's link (or code) does not work any more; none means that it does."""
    if facts.used_at is not None:
        return [Reason("used", _("This link has been used. Each one works once."))]
    if now >= facts.expires_at:
        return [Reason("expired", _("This link is over. Each one works for %(minutes)s minutes.",
                                    minutes=LINK_LASTS // timedelta(minutes=1)))]
    return []


def reasons_not_to_try_code(facts: SignInFacts, now: datetime) -> list[Reason]:
    """Why a code is not even looked at. The link in the same letter goes on working when codes are used up."""
    reasons = reasons_not_to_sign_in(facts, now)
    if facts.code_tries >= CODE_TRIES:
        reasons.append(Reason("tries", _("That was the last try with this code. Use the link in the e-mail, or ask "
                                         "for a new one.")))
    elif facts.tries_today >= CODE_TRIES_A_DAY:
        reasons.append(Reason("tries_today", _("Codes have been tried very often for this address today. Use the link "
                                               "in the e-mail.")))
    return reasons


def reasons_not_to_use_link(facts: SignInFacts | None, now: datetime) -> list[Reason]:
    """Why a link does not sign anybody in; `facts` is None for a link that never was, or is long forgotten."""
    if facts is None:
        return [Reason("unknown", _("This link does not work. Perhaps a part of it was lost on the way."))]
    return reasons_not_to_sign_in(facts, now)


def wrong_code(facts: SignInFacts) -> str:
    """What to say after a wrong code."""
    left = CODE_TRIES - facts.code_tries
    if left == 1:
        return _("That is not the code. You have one more try.")
    return _("That is not the code. You have %(left)s more tries.", left=left)


def words_to_keep(typed: str | None) -> dict[str, Any]:
    """The fields that a page sent along to be kept (`web/kept.py`), checked like anything that arrives.

    Gives `{"path": page, "fields": [[name, text], …]}`, or nothing when it is none or too much.
    """
    if not typed or len(typed) > MOST_WORDS:
        return {}
    try:
        given = json.loads(typed)
        fields = [[name, text] for name, text in given["fields"]]
        path = given["path"]
    except (ValueError, TypeError, KeyError, RecursionError):
        return {}
    if not all(isinstance(word, str) and not _UNKEEPABLE.search(word) for pair in [[path], *fields] for word in pair):
        return {}
    return {"path": path, "fields": fields} if fields and path == way_back(path) else {}


def sha256(secret: str) -> bytes:
    """How links and devices are remembered: not themselves, only this."""
    return hashlib.sha256(secret.encode(errors="replace")).digest()


def session_lasts(capacities: frozenset[Capacity]) -> timedelta:
    """How long a device stays signed in: a working day for staff, two weeks for everybody else."""
    return STAFF_SESSION_LASTS if capacities & STAFF else SESSION_LASTS


def email_address(typed: str) -> str:
    """The address in the one form that is kept: lower case, its domain in ASCII (so look-alikes show as `xn--…`).

    No mail server is asked. Raises BadInput.
    """
    try:
        found = validate_email(typed.strip(), check_deliverability=False, allow_smtputf8=False)
    except EmailNotValidError:
        raise BadInput(_("Write an e-mail address, like name@example.com."), field="email") from None
    return str(found.ascii_email).lower()


def person_name(typed: str) -> str:
    """A name as it is kept. Raises BadInput for none, for too long a one, and for characters that nobody can see."""
    name = typed.strip()
    if not name:
        raise BadInput(_("Write your name."), field="name")
    if _UNSEEN.search(name):
        raise BadInput(_("Write your name again, on one line: there were characters in it that cannot be seen."),
                       field="name")
    if len(name) > LONGEST_NAME:
        raise BadInput(_("Write at most %(most)s characters.", most=LONGEST_NAME), field="name")
    return name


def way_back(typed: str | None) -> str:
    """The page of ours to return to after signing in; the first page when `typed` is none of ours.

    Only a path: `//evil`, `/\\evil`, `https:evil` and hidden characters lead nowhere. Signing in never leads back
    to signing in.
    """
    if not typed or len(typed) > LONGEST_WAY_BACK or _UNSEEN.search(typed):
        return "/"
    if not typed.startswith("/") or typed.startswith("//") or "\\" in typed:
        return "/"
    if typed.split("?")[0].rstrip("/").split("/")[1:2] in (["sign-in"], ["sign-out"], ["demo"]):
        return "/"
    return typed


def reasons_not_to_grant(actor: Actor, *, wanted: Capacity, has: frozenset[Capacity],
                         sits_on_a_panel: bool = False) -> list[Reason]:
    """Why this person may not be given `wanted`; none means that they may.

    The table repeats it as `uq_capacity_one_for_each_person` and `ck_capacity_no_seat`.
    """
    reasons = []
    if actor.capacity is not Capacity.SYSTEM:
        reasons.append(Reason("only_by_command", _("Capacities are given on the fund's own machine, never on a page.")))
    if wanted not in STAFF:
        reasons.append(Reason("not_staff", _("Only officer, approver, authoriser and trustee can be given.")))
    if has - {wanted}:
        reasons.append(Reason("one_capacity", _("This person has a capacity already. Who accepts, who approves and who "
                                                "authorises are different people.")))
    if sits_on_a_panel:
        reasons.append(Reason("sits_on_a_panel", _("This person sits on a panel, so they cannot be staff.")))
    return reasons
