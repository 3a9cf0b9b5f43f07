"""Sharing a pot out and delegating each place's share to its panel."""

from collections.abc import Sequence
from datetime import date

from fund.allocations import queries, rules
from fund.allocations.models import Allocation, AllocationRun
from fund.allocations.rules import PlaceNeed, Share
from fund.db import session
from fund.kernel.actor import Actor
from fund.kernel.errors import Forbidden, Refused, refuse_if
from fund.kernel.ids import new_id
from fund.kernel.reasons import Reason
from fund.kernel.words import _
from fund.ledger import actions as ledger
from fund.ledger import queries as balances
from fund.ledger import rules as accounts
from fund.neighbourhoods import queries as places
from fund.neighbourhoods.rules import IN_FORCE, Bounds
from fund.transparency import actions as transparency


def run_allocation(actor: Actor, *, pot_pence: int, financial_year: str, on: date, floor_pence: int = 0,
                   bounds: Bounds = IN_FORCE) -> AllocationRun:
    """Share the pot among every neighbourhood within bounds, by need, and delegate each share for ten years from `on`.

    Posts one `area_allocation` for each place and publishes the rule with all that it worked from. There is one run a
    year: the same again gives the run that stands, another pot or floor is refused. Raises Forbidden for anybody but
    trustees and the system, Refused with the figures when the pot does not cover the floors or is not there to spend.
    """
    needs = [PlaceNeed(need.neighbourhood_id, need.code, need.residents, need.weight)
             for need in places.needs_of_neighbourhoods(bounds)]
    versions = {"imd": bounds.imd_version, "residents": bounds.residents_version, "bounds": bounds.version}
    return _run(actor, rules.RULE_VERSION, needs, versions, pot_pence=pot_pence, financial_year=financial_year, on=on,
                floor_pence=floor_pence)


def allocate_for_rehearsal(actor: Actor, *, needs: Sequence[PlaceNeed], financial_year: str, on: date) -> AllocationRun:
    """Give each place exactly its `weight` in pence: how a rehearsal makes enough for the grants that follow."""
    return _run(actor, rules.REHEARSAL_RULE, needs, {}, pot_pence=sum(need.weight for need in needs),
                financial_year=financial_year, on=on, floor_pence=0)


def _run(actor: Actor, rule_version: str, needs: Sequence[PlaceNeed], versions: dict[str, str], *, pot_pence: int,
         financial_year: str, on: date, floor_pence: int) -> AllocationRun:
    if actor.capacity not in rules.MAY_ALLOCATE:
        raise Forbidden
    inputs = rules.inputs_sha256(pot_pence, needs, floor_pence)
    standing = queries.run_of(financial_year, rule_version)
    if standing is not None:
        if standing.inputs_sha256 == inputs:
            return standing
        raise Refused([Reason("run_before", _(
            "The money of %(year)s was shared out already. A delegated share is never changed.", year=financial_year))])
    refuse_if(rules.reasons_not_to_allocate(pot_pence, needs, floor_pence,
                                            balances.available_pence(accounts.SPENDABLE)))
    run = AllocationRun(
        id=new_id(), leaf_id=new_id(), financial_year=financial_year, rule_version=rule_version, pot_pence=pot_pence,
        floor_pence=floor_pence, tie_order=rules.TIE_ORDER, need_versions=versions, inputs_sha256=inputs, term_from=on,
        term_to=rules.end_of_term(on))
    session.add(run)
    session.flush()
    _delegate(run, rules.allocate(pot_pence, needs, floor_pence))
    transparency.record_act(actor, "run_allocation", "allocation_run", run.id, pot_pence=pot_pence,
                            floor_pence=floor_pence, places=len(needs), rule=rule_version)
    return run


def _delegate(run: AllocationRun, shares: Sequence[Share]) -> None:
    """Write each place's share, publish the rule, and post the entries: the ledger's writes come last."""
    entry_ids = {share.place.code: new_id() for share in shares}
    session.add_all([
        Allocation(id=new_id(), run_id=run.id, neighbourhood_id=share.place.neighbourhood_id,
                   residents=share.place.residents, weight=share.place.weight, floor_pence=run.floor_pence,
                   amount_pence=share.amount_pence, term_to=run.term_to, entry_id=entry_ids[share.place.code])
        for share in shares])
    session.flush()
    names = {row.code: row.name for row in queries.shares_of_run(run.id)}
    for share in shares:
        ledger.open_account(accounts.allocation(share.place.code), name=names[share.place.code])
    transparency.append("allocation_rule_published", _published(run, shares), leaf_id=run.leaf_id,
                        idem_key=f"allocation_run/{run.financial_year}/{run.rule_version}")
    ledger.post_many([
        ledger.ToPost(
            kind="area_allocation", lines=accounts.area_allocation([(share.place.code, share.amount_pence)]),
            effective_on=run.term_from, idem_key=f"allocation/{run.id}/{share.place.code}", area=share.place.code,
            relates_to=[run.leaf_id], entry_id=entry_ids[share.place.code],
            params={"weight": str(share.place.weight), "residents": share.place.residents,
                    "term_to": run.term_to.isoformat()})
        for share in shares])


def _published(run: AllocationRun, shares: Sequence[Share]) -> dict[str, object]:
    return {
        "financial_year": run.financial_year, "rule": run.rule_version, "tie_order": run.tie_order,
        "text": rules.RULE_TEXTS[run.rule_version],
        "pot_pence": str(run.pot_pence), "floor_pence": str(run.floor_pence), "places": len(shares),
        "need_versions": run.need_versions, "inputs_sha256": run.inputs_sha256.hex(),
        "term_from": run.term_from.isoformat(), "term_to": run.term_to.isoformat()}
