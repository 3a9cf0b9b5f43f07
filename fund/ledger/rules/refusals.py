"""Why an entry cannot be posted, in plain words: before it is tried, and when the database would not have it."""

from collections.abc import Sequence

from fund.kernel.reasons import Reason
from fund.kernel.words import _
from fund.ledger.rules.lines import MOST_PENCE, Line


def _amount(amount: int) -> bool:
    return type(amount) is int and 0 < amount <= MOST_PENCE


def reasons_not_to_post(lines: Sequence[Line]) -> list[Reason]:
    """Why these lines cannot be an entry, as far as their shape tells: the database decides the rest."""
    reasons = []
    if not lines:
        reasons.append(Reason("no_lines", _("An entry moves some money.")))
    if any(not _amount(line.amount_pence) for line in lines):
        reasons.append(Reason("ck_transfer_amount", _("An amount is a whole number of pence, more than nothing.")))
    if any(line.debit == line.credit for line in lines):
        reasons.append(Reason("ck_transfer_two_accounts", _("Money moves from one account to another.")))
    return reasons


def why_refused(constraint: str, accounts: Sequence[str]) -> Reason | None:
    """The sentence for what a constraint refused; None for one that only a mistake of ours can meet."""
    sentences = {
        "ck_balance_overdraft": _("There is not enough money for this in %(accounts)s.",
                                  accounts=", ".join(dict.fromkeys(accounts))),
        "fk_transfer_rule": _("Money of this kind cannot go this way."),
        "ck_transfer_capital": _("Permanent capital cannot be spent."),
        "reservation_resolves": _("This does not match what was set aside for it."),
        "uq_transfer_pending": _("This money was paid or freed already."),
        "period_is_open": _("The books are closed for that day. Use a day in the open period."),
        "period_is_over": _("The books are closed for days that are over."),
        "statement_lines_matched": _("The bank’s statement has a line up to that day that is not matched yet."),
        "no_limit_in_deficit": _("The endowment is worth less than its capital, so nothing more can be spent yet."),
        "reversal_mirrors": _("A reversal is the exact mirror of one entry."),
        "allocation_stands_for_its_term": _("Money that was set aside for a place stands until its term ends."),
        "uq_entry_reverses": _("That entry was reversed already."),
        "ck_entry_effective_on": _("That day is too far from now."),
        "ck_transfer_amount": _("An amount is a whole number of pence, more than nothing."),
        "ck_transfer_two_accounts": _("Money moves from one account to another."),
        "return_bears_it_first": _("The figures changed in the meantime. Do it again."),
        "offer_follows_decision": _("An offer gives what the panel decided, to the penny."),
        "uq_entry_offer": _("What the panel decided was offered already."),
        "relates_to_a_leaf": _("What this relates to is not on the record."),
        "uq_account_code": _("That account is open already."),
        "ck_account_code": _("That is not the code of an account."),
        "fk_account_class": _("That is not the code of an account."),
        "uq_period_close_date": _("The books are closed through that day already."),
    }
    return Reason(constraint, sentences[constraint]) if constraint in sentences else None
