"""The ledger in plain words: what each class of account is, and what each kind of entry means."""

from fund.kernel.words import N_, _
from fund.ledger.rules.lines import CLASSES, DEBIT_NORMAL

#: (name, what it is) of each class of account; the pages look both up in the reader's language.
ACCOUNT_CLASSES = {
    "bank": (N_("Bank"), N_("Cash in the fund's own bank account.")),
    "investments": (N_("Investments"), N_("What the endowment is invested in, at its last valuation.")),
    "reclaim_reserve": (N_("Set by for owners"), N_("For owners of forgotten money who come forward.")),
    "permanent_capital": (N_("Permanent capital"), N_("What came in from forgotten accounts. It is never spent.")),
    "deficit": (N_("Below capital"), N_("How far the endowment stands below its capital, until that is made good.")),
    "unapplied_return": (N_("Return not yet used"), N_("What the endowment earned and nobody has let out yet.")),
    "drawdown_limit": (N_("A year's limit"), N_("What the published rule lets one year spend, as far as it is left.")),
    "spendable": (N_("Spendable"), N_("Let out to spend, and not yet set aside for any place.")),
    "running_costs": (N_("Running costs"), N_("A year's budget for costs and for paying panel members.")),
    "allocation": (N_("Set aside for places"), N_("What a neighbourhood's panel may still give.")),
    "grant": (N_("Promised to groups"), N_("Grants that are agreed and not yet paid.")),
}

_KINDS = {
    "dormant_assets_receipt": N_("%(amount)s came in from forgotten accounts. It stays for ever."),
    "reclaim_paid": N_("%(amount)s for an owner who came forward."),
    "reclaim_reserve_top_up": N_("%(amount)s was set by for owners who come forward."),
    "reclaim_reserve_release": N_("%(amount)s of what was set by for owners became capital."),
    "trade": N_("Investments were bought or sold for %(amount)s."),
    "investment_income": N_("The investments paid %(amount)s."),
    "bank_interest": N_("The bank paid %(amount)s of interest."),
    "revaluation_gain": N_("The investments are worth %(amount)s more."),
    "revaluation_loss": N_("The investments are worth %(amount)s less. Capital was not touched."),
    "deficit_made_good": N_("%(amount)s of return made good what stood below capital."),
    "spending_rule_set": N_("The year may spend %(amount)s, and no more."),
    "drawdown": N_("%(amount)s of the year's limit was let out to spend."),
    "area_allocation": N_("%(amount)s was set aside for places."),
    "operating_budget": N_("%(amount)s was set by for running costs and panel pay."),
    "grant_offer": N_("%(amount)s was kept for a group while it reads its offer."),
    "grant_agreement": N_("A group said yes: %(amount)s is promised to it."),
    "grant_offer_lapsed": N_("An offer of %(amount)s ended. The money is back with the place."),
    "stage_release": N_("%(amount)s is on its way to a group."),
    "stage_paid": N_("%(amount)s reached a group. The bank says so."),
    "payment_failed": N_("A payment of %(amount)s did not leave. The money is back on the grant."),
    "payment_returned": N_("A payment of %(amount)s came back from the bank. It is on the grant again."),
    "host_contribution": N_("%(amount)s for the organisation that holds a group's money."),
    "grant_return": N_("A group paid back %(amount)s."),
    "grant_decommitted": N_("%(amount)s of a grant will not be paid. It is back with the place."),
    "operating_cost": N_("%(amount)s of running costs."),
    "participation_payment": N_("%(amount)s for taking part in a panel."),
    "reversal": N_("A mistake of %(amount)s was put right. The wrong entry stays, and this is its mirror."),
}

#: Where one kind of entry keeps aside first, and ends it later one way or the other.
_KINDS_IN_PHASES = {
    ("trade", "pending"): N_("Investments are to be bought or sold for %(amount)s."),
    ("trade", "void"): N_("A purchase or sale of investments for %(amount)s was called off."),
    ("reclaim_paid", "pending"): N_("%(amount)s was kept aside for an owner who came forward."),
    ("reclaim_paid", "void"): N_("%(amount)s for an owner will not be paid. It is set by for owners again."),
}

_RECORDS = {
    "genesis": N_("The record begins, and is named."),
    "allocation_rule_published": N_("The rule that shares the money out between places was published."),
    "round_published": N_("The rules of a round were published."),
    "application_received": N_("An application came in. Nobody can change it any more."),
    "sitting_opened": N_("A panel began to score."),
    "scores_sealed": N_("A panel member handed in scores. They stay sealed until all are in."),
    "sitting_pot": N_("What a panel may give was written down."),
    "sitting_closed": N_("A panel closed, and the seed that settles ties was opened."),
    "decision": N_("A panel of residents decided about an application."),
    "rehearsal_rule": N_("This is a rehearsal with real grants, invented scores and invented payments."),
    "account_opened": N_("An account was opened."),
    "period_closed": N_("The books were closed through a day."),
    "spending_rule_chosen": N_("Trustees chose the rule by which a year's limit is worked out."),
    "recovery_plan_recorded": N_("Two trustees recorded how the endowment gets back above what was given."),
    "price_recorded": N_("What prices did in a month was recorded, with its source."),
    "reclaim_reserve_policy": N_("Trustees switched the reserve for owners on or off."),
    "key_rotated": N_("The log has a new key. For a year the old one signs too."),
    "erasure": N_("Something private was forgotten at somebody’s wish. The lines and their proofs stay."),
}

#: The kinds of entry by name, for the list of the ways that money may go.
NAMES = {
    "dormant_assets_receipt": N_("Money from forgotten accounts"), "reclaim_paid": N_("Paid to an owner"),
    "reclaim_reserve_top_up": N_("More set by for owners"), "reclaim_reserve_release": N_("Less set by for owners"),
    "trade": N_("Investments bought or sold"), "investment_income": N_("Income of the investments"),
    "bank_interest": N_("Interest of the bank"), "revaluation_gain": N_("Investments worth more"),
    "revaluation_loss": N_("Investments worth less"), "deficit_made_good": N_("Capital made good"),
    "spending_rule_set": N_("A year's limit"), "drawdown": N_("Let out to spend"),
    "area_allocation": N_("Set aside for places"), "operating_budget": N_("Budget for running costs"),
    "grant_offer": N_("Offer"), "grant_agreement": N_("Offer accepted"), "grant_offer_lapsed": N_("Offer ended"),
    "stage_release": N_("Payment sent"), "stage_paid": N_("Payment arrived"), "payment_failed": N_("Payment failed"),
    "payment_returned": N_("Payment came back"), "host_contribution": N_("For who holds a group’s money"),
    "grant_return": N_("Paid back by a group"), "grant_decommitted": N_("Part of a grant not paid"),
    "operating_cost": N_("Running costs"), "participation_payment": N_("For taking part in a panel"),
    "reversal": N_("Mistake put right"),
}

#: What each phase of a line means.
PHASES = {"single": N_("moved"), "pending": N_("kept aside"), "post": N_("moved from what was kept aside"),
          "void": N_("no longer kept aside")}


def sentence(kind: str, amount: str, phase: str = "") -> str:
    """What an entry or a public record of this kind means, in one sentence; `amount` is written for people, `phase`
    that of its first line."""
    if kind in _KINDS:
        return _(_KINDS_IN_PHASES.get((kind, phase), _KINDS[kind]), amount=amount)
    return _(_RECORDS[kind]) if kind in _RECORDS else as_words(kind)


def account_name(code: str, name: str) -> str:
    """An account as people call it in their language: one of its class only as the class, a place's by its place."""
    account_class, of = CLASSES[code[:4]], code[5:]
    if not of:
        return _(ACCOUNT_CLASSES[account_class][0])
    return _(_ACCOUNTS_OF[account_class], of=of) if account_class in _ACCOUNTS_OF else name


_ACCOUNTS_OF = {"drawdown_limit": N_("Limit for %(of)s"), "running_costs": N_("Running costs %(of)s"),
                "grant": N_("Grant %(of)s")}


def name(kind: str) -> str:
    """A kind of entry by its name."""
    return _(NAMES[kind]) if kind in NAMES else as_words(kind)


def as_words(word: str) -> str:
    """A word of a line as it stands, where nobody gave it a name: `rule_published` as `Rule published`."""
    return word.replace("_", " ").capitalize()


def goes_up(account_class: str, *, debited: bool) -> bool:
    """Whether there is more on an account of the class after it was debited (or credited).

    People read "more" and "less": "from" and "to" would be wrong wherever both accounts grow, as when money comes in.
    """
    return debited == (account_class in DEBIT_NORMAL)


def changes(debit: str, credit: str) -> list[tuple[str, bool]]:
    """The two accounts of a line, each with whether there is more on it afterwards: what grows stands last."""
    both = [(code, goes_up(CLASSES[code[:4]], debited=code == debit)) for code in (debit, credit)]
    return sorted(both, key=lambda change: change[1])
