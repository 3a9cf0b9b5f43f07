"""Offers that are not the plain case: a part of what was asked, and stages that are known already."""

import sqlalchemy as sa

from fund.grants import actions, queries
from fund.grants.rules import Basis
from fund.ledger import queries as ledger
from fund.rounds.rules import RoundRules
from tests.make.decisions import make_decided_application
from tests.make.grants import make_offers


def test_a_part_is_offered_when_a_part_was_awarded(session):
    decided = make_decided_application(outcome="part_awarded", asked_pence=480_00, least_pence=100_00,
                                       amount_pence=333_33, **RoundRules(stage_shares=(60, 40)).as_json())
    [award] = actions.make_offers(decided.sitting_id)
    grant = queries.grant(award.reference)
    assert (grant.amount_pence, grant.asked_pence) == (333_33, 480_00)
    assert [stage.amount_pence for stage in grant.stages] == [200_00, 133_33]
    assert ledger.balance_of(f"4000/{grant.place_code}").available_pence == 0
    session.execute(sa.text("SET CONSTRAINTS ALL IMMEDIATE"))


def test_stages_that_are_known_already_are_taken_as_they_are(session):
    [made] = make_offers(1, split=[100_00, 380_00])
    assert [(stage.basis, stage.amount_pence) for stage in made.grant.stages] == [
        (Basis.UP_FRONT, 100_00), (Basis.ON_EVIDENCE, 380_00)]
