"""Changing people: making them, signing them in and out, giving and ending capacities."""

import hmac
import secrets
import uuid
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.exc import IntegrityError

from fund.db import refusal, session
from fund.kernel import clock
from fund.kernel.actor import Actor, Capacity
from fund.kernel.errors import BadInput, Forbidden, NotFound, Refused, refuse_if
from fund.kernel.ids import new_id
from fund.kernel.words import _
from fund.notifications import actions as notifications
from fund.people import queries, rules
from fund.people.models import HeldCapacity, Person, PersonSession, SignInRequest
from fund.settings import settings
from fund.transparency.actions import record_act


@dataclass(frozen=True, slots=True)
class SignIn:
    """A device that has just been signed in: whose it is now, where they were going, and what they had typed."""

    session_id: uuid.UUID
    person_id: uuid.UUID
    request_id: uuid.UUID | None
    return_to: str
    words_path: str


def find_or_make_person(email: str, *, name: str = "", language: str = "en", is_demo: bool = False) -> Person:
    """The person with this address, made if there is none yet. Raises BadInput for what is no address.

    A person who is there is left as they are. Production makes nobody of the demo.
    """
    if is_demo and settings().fund_env == "production":
        raise Forbidden("no demo person in production")
    address = rules.email_address(email)
    session.execute(insert(Person).values(
        id=new_id(), email=address, name=rules.person_name(name) if name else "", language=language, is_demo=is_demo,
    ).on_conflict_do_nothing(index_elements=["email"]))
    found = queries.person_with_email(address)
    assert found is not None  # noqa: S101  made above, or there before
    return found


def change_profile(actor: Actor, *, name: str, language: str) -> None:
    """Let somebody give their own name, and the language in which the fund writes to them."""
    if actor.person_id is None:
        raise Forbidden
    if language not in rules.LANGUAGES:
        raise BadInput(_("Choose English or Welsh."), field="language")
    found = queries.person(actor.person_id)
    found.name, found.language = rules.person_name(name), language


def begin_sign_in(email: str, *, device: str, return_to: str | None, words: dict[str, Any] | None = None,
                  language: str = "en") -> uuid.UUID:
    """Write a letter with a link and a code to whoever reads `email`, and give the request's id.

    Nothing here depends on whether anybody has that address: the person is made when the letter proves to be theirs.
    `device` is a secret that only the device that asks holds; the code works on no other. `words` are the fields of a
    form that was being sent. Raises BadInput for what is no address.
    """
    address, back = rules.email_address(email), rules.way_back(return_to)
    token, code = secrets.token_urlsafe(32), f"{secrets.randbelow(10 ** rules.CODE_DIGITS):0{rules.CODE_DIGITS}d}"
    request = SignInRequest(
        id=new_id(), email=address, token_sha256=rules.sha256(token), device_sha256=rules.sha256(device),
        return_to=back, words=words or {}, expires_at=clock.now() + rules.LINK_LASTS)
    request.code_sha256 = _code_sha256(request.id, code)
    session.add(request)
    session.flush()
    notifications.send(
        "sign_in", key=f"sign-in {request.id}", address=address, language=language, useless_at=request.expires_at,
        secret={"link": f"{settings().public_url.rstrip('/')}/sign-in/link/{token}", "code": code},
        minutes=int(rules.LINK_LASTS.total_seconds() // 60))
    return request.id


def claim_by_link(token: str, *, language: str = "en") -> SignIn:
    """Sign in whoever holds the link, on any device. Raises NotFound for a link that never was, Refused when it is
    used or over. A new person is written to in `language` from now on.
    """
    request = session.scalars(sa.select(SignInRequest).where(SignInRequest.token_sha256 == rules.sha256(token))
                              .with_for_update()).one_or_none()
    if request is None:
        raise NotFound
    refuse_if(rules.reasons_not_to_sign_in(queries.sign_in_facts(request), clock.now()))
    return _claim(request, language)


def claim_by_code(request_id: uuid.UUID, *, device: str, code: str, language: str = "en") -> SignIn | None:
    """Sign in the device that began the request, if `code` is right; None when it is wrong, which uses up a try.

    The caller commits a wrong try too. Raises NotFound for another device, Refused when no code is looked at any more.
    """
    request = session.scalars(sa.select(SignInRequest).where(
        SignInRequest.id == request_id, SignInRequest.device_sha256 == rules.sha256(device)).with_for_update()
    ).one_or_none()
    if request is None:
        raise NotFound
    refuse_if(rules.reasons_not_to_try_code(queries.sign_in_facts(request), clock.now()))
    if not hmac.compare_digest(request.code_sha256, _code_sha256(request.id, code)):
        request.code_tries += 1
        return None
    return _claim(request, language)


def _claim(request: SignInRequest, language: str) -> SignIn:
    """Use the request up; every other letter to the same address dies with it."""
    now = clock.now()
    session.execute(sa.update(SignInRequest).where(SignInRequest.email == request.email,
                                                   SignInRequest.used_at.is_(None)).values(used_at=now))
    found = find_or_make_person(request.email, language=language)
    return SignIn(start_session(found.id), found.id, request.id, request.return_to, request.words.get("path", ""))


def start_session(person_id: uuid.UUID) -> uuid.UUID:
    """Sign a person in on one more device; gives the session's id, which is what the device keeps."""
    lasts = rules.session_lasts(queries.capacities_of(person_id))
    row = PersonSession(id=new_id(), person_id=person_id, expires_at=clock.now() + lasts)
    session.add(row)
    session.flush()
    return row.id


def start_demo_sign_in(person_id: uuid.UUID, *, return_to: str | None = None) -> SignIn:
    """Sign a visitor in as a person of the demo. Raises NotFound for anybody else, and in production."""
    if settings().fund_env == "production" or not queries.person(person_id).is_demo:
        raise NotFound
    return SignIn(start_session(person_id), person_id, None, rules.way_back(return_to), "")


def end_session(session_id: uuid.UUID) -> None:
    """Sign one device out; at once, whatever its cookie says."""
    session.execute(sa.update(PersonSession).where(PersonSession.id == session_id, PersonSession.ended_at.is_(None))
                    .values(ended_at=sa.func.clock_timestamp()))


def end_every_session(person_id: uuid.UUID) -> None:
    """Sign a person out everywhere."""
    session.execute(sa.update(PersonSession).where(
        PersonSession.person_id == person_id, PersonSession.ended_at.is_(None))
        .values(ended_at=sa.func.clock_timestamp()))


def grant_capacity(actor: Actor, person_id: uuid.UUID, capacity: Capacity) -> None:
    """Let a person act for the fund. Giving what they hold already changes nothing. Raises Refused."""
    has = queries.capacities_of(queries.person(person_id).id)
    refuse_if(rules.reasons_not_to_grant(actor, wanted=capacity, has=has))
    if capacity in has:
        return
    try:
        with session.begin_nested():
            session.add(HeldCapacity(id=new_id(), person_id=person_id, capacity=capacity.value))
    except IntegrityError as error:
        constraint = refusal(error)[1]
        if constraint not in {"ck_capacity_no_seat", "uq_capacity_one_for_each_person"}:
            raise
        raise Refused(rules.reasons_not_to_grant(
            actor, wanted=capacity, has=queries.capacities_of(person_id),
            sits_on_a_panel=constraint == "ck_capacity_no_seat")) from error
    record_act(actor, "grant_capacity", "person", person_id, capacity=capacity.value)


def end_capacity(actor: Actor, person_id: uuid.UUID) -> None:
    """Take a person's capacity away and sign them out everywhere; nothing happens when they hold none."""
    if actor.capacity is not Capacity.SYSTEM:
        raise Forbidden
    ended = session.scalars(
        sa.update(HeldCapacity).where(HeldCapacity.person_id == person_id, HeldCapacity.ended_at.is_(None))
        .values(ended_at=sa.func.clock_timestamp()).returning(HeldCapacity.capacity)).one_or_none()
    if ended is not None:
        end_every_session(person_id)
        record_act(actor, "end_capacity", "person", person_id, capacity=ended)


def forget_old_sign_ins() -> int:
    """Remove requests to sign in that are older than two days, with the words kept in them; gives how many."""
    old = sa.delete(SignInRequest).where(SignInRequest.created_at < sa.text("clock_timestamp() - interval '2 days'"))
    return int(session.execute(old).rowcount)  # type: ignore[attr-defined]


def _code_sha256(request_id: uuid.UUID, code: str) -> bytes:
    """A code has a million values, so it is hashed with a key that is not in the database."""
    key = settings().secret_key.get_secret_value().encode()
    return hmac.new(key, b"sign-in code " + request_id.bytes + code.encode(), "sha256").digest()
