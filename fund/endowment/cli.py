"""Commands of the part `endowment`: what trustees and their treasurer record, each as the system."""

import hashlib
import re
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date, datetime
from pathlib import Path

import click

from fund.db import transaction
from fund.endowment import actions, queries, rules
from fund.kernel import clock
from fund.kernel.actor import SYSTEM
from fund.kernel.errors import BadInput, NotFound, Refused
from fund.kernel.money import pence_from_typed, pounds
from fund.transparency import formats


class Money(click.ParamType):
    """Pounds and pence, as a person types them."""

    name = "pounds"

    def convert(self, value: str, param: click.Parameter | None, ctx: click.Context | None) -> int:
        """The pence; a command may take more than a form does."""
        try:
            return pence_from_typed(value, most=10**15)
        except BadInput as error:
            self.fail(str(error), param, ctx)


class Told(click.Group):
    """Commands that tell a refusal in its own sentences."""

    def invoke(self, context: click.Context) -> object:
        """Run the command."""
        try:
            return super().invoke(context)
        except (Refused, BadInput) as error:
            raise click.ClickException(str(error)) from error


@click.group(name="endowment", cls=Told)
def commands() -> None:
    """Money in, what it earns, and what may be spent."""


def _day(_context: click.Context, _param: click.Parameter, value: datetime | None) -> date:
    return clock.today() if value is None else value.date()


amount = click.option("--amount", "amount_pence", type=Money(), required=True, help="In pounds, as 1,250 or 1250.50.")
day = click.option("--on", "on", type=click.DateTime(["%Y-%m-%d"]), callback=_day, help="The day it counts for; today.")
reference = click.option("--reference", required=True, help="The sender's or source's own reference, used once.")
source = click.option("--source", required=True, help="Who says so: the custodian, the bank, the valuer.")


document = click.option("--document", type=click.Path(exists=True, dir_okay=False, path_type=Path), required=True,
                        help="The paper that says so; its hash is kept.")
sha256 = click.option("--sha256", "stated_sha256", help="The hash that was stated with it: another paper is refused.")


@commands.command("receive-tranche")
@click.option("--sender", required=True)
@reference
@amount
@day
@click.option("--scheme", type=click.Choice(list(rules.SCHEMES)), default="banks", show_default=True)
@document
@sha256
@click.option("--reclaim", "reclaim_pence", type=Money(), default="0", help="The part set by for owners.")
def receive_tranche(sender: str, reference: str, amount_pence: int, on: date, scheme: str, document: Path,
                    stated_sha256: str | None, reclaim_pence: int) -> None:
    """Record a payment of dormant assets as permanent capital."""
    with transaction():
        tranche = actions.receive_tranche(
            SYSTEM, sender=sender, reference=reference, amount_pence=amount_pence, received_on=on, scheme=scheme,
            document=document.read_bytes(), stated_sha256=stated_sha256, reclaim_pence=reclaim_pence)
        click.echo(f"{pounds(tranche.amount_pence)} from {tranche.sender} stands as entry {tranche.entry_id}.")


@commands.command("record-income")
@source
@reference
@amount
@day
@click.option("--interest", is_flag=True, help="It is interest on cash.")
def record_income(source: str, reference: str, amount_pence: int, on: date, interest: bool) -> None:
    """Record what the investments paid."""
    with transaction():
        row = actions.record_income(SYSTEM, amount_pence=amount_pence, earned_on=on, source=source,
                                    reference=reference, interest=interest)
        click.echo(f"{pounds(row.amount_pence)} stands as entry {row.entry_id}.")


holding = click.option("--holding", default="Investments", show_default=True, help="What is bought or sold.")
unsettled = click.option("--unsettled", is_flag=True, help="It is agreed, and settles on another day.")


def _trade(*, buy: bool, holding: str, reference: str, amount_pence: int, on: date, unsettled: bool) -> None:
    with transaction():
        actions.agree_trade(SYSTEM, buy=buy, holding=holding, amount_pence=amount_pence, agreed_on=on,
                            reference=reference)
        if not unsettled:
            actions.settle_trade(SYSTEM, reference, settled_on=on)


@commands.command("buy")
@holding
@reference
@amount
@day
@unsettled
def buy(holding: str, reference: str, amount_pence: int, on: date, unsettled: bool) -> None:
    """Invest cash of the bank account."""
    _trade(buy=True, holding=holding, reference=reference, amount_pence=amount_pence, on=on, unsettled=unsettled)
    click.echo(f"{pounds(amount_pence)} is {'kept aside to be invested' if unsettled else 'invested'} in {holding}.")


@commands.command("sell")
@holding
@reference
@amount
@day
@unsettled
def sell(holding: str, reference: str, amount_pence: int, on: date, unsettled: bool) -> None:
    """Turn investments into cash, at what they are carried at."""
    _trade(buy=False, holding=holding, reference=reference, amount_pence=amount_pence, on=on, unsettled=unsettled)
    click.echo(f"{pounds(amount_pence)} of {holding} {'is kept aside to be sold' if unsettled else 'is cash'}.")


@commands.command("settle-trade")
@click.argument("reference")
@day
def settle_trade(reference: str, on: date) -> None:
    """Say that a trade settled: its money has moved."""
    with transaction(), _named("trade", reference):
        actions.settle_trade(SYSTEM, reference, settled_on=on)
        click.echo(f"{reference} is settled.")


@commands.command("call-off-trade")
@click.argument("reference")
@day
def call_off_trade(reference: str, on: date) -> None:
    """Say that a trade will not settle: its money is free again."""
    with transaction(), _named("trade", reference):
        actions.call_off_trade(SYSTEM, reference, ended_on=on)
        click.echo(f"{reference} is called off.")


@commands.command("value")
@click.argument("holding")
@click.option("--value", "value_pence", type=Money(), required=True, help="What it is worth, in pounds.")
@day
@source
@reference
@document
@sha256
def value(holding: str, value_pence: int, on: date, source: str, reference: str, document: Path,
          stated_sha256: str | None) -> None:
    """Record what a holding is worth on a day: the gain or loss is posted."""
    with transaction(), _named("holding", holding):
        valued = actions.record_valuation(
            SYSTEM, holding=holding, value_pence=value_pence, valued_on=on, source=source, reference=reference,
            document=document.read_bytes(), stated_sha256=stated_sha256)
        change = valued.value_pence - valued.carried_pence
        click.echo(f"{holding} is carried at {pounds(valued.value_pence)}, {pounds(abs(change))} "
                   f"{'less' if change < 0 else 'more'} than before.")


@commands.command("reserve")
@click.argument("state", type=click.Choice(["on", "off"]))
def reserve(state: str) -> None:
    """Keep a reserve for owners who come forward, or keep none."""
    with transaction():
        actions.switch_reserve(SYSTEM, is_on=state == "on")
        click.echo(f"The reserve for owners is {state}.")


@commands.command("pay-owner")
@reference
@amount
@day
def pay_owner(reference: str, amount_pence: int, on: date) -> None:
    """Keep aside what an owner is to be paid back from the reserve."""
    with transaction():
        actions.pay_owner(SYSTEM, amount_pence=amount_pence, agreed_on=on, reference=reference)
        click.echo(f"{pounds(amount_pence)} is kept aside for {reference}.")


@commands.command("end-payment")
@click.argument("reference")
@click.argument("outcome", type=click.Choice(["paid", "called-off"]))
@day
def end_payment(reference: str, outcome: str, on: date) -> None:
    """Say that a payment to an owner was made, or will not be."""
    with transaction(), _named("payment", reference):
        actions.end_payment(SYSTEM, reference, is_paid=outcome == "paid", ended_on=on)
        click.echo(f"{reference} is {outcome.replace('-', ' ')}.")


@commands.command("holdings")
def holdings() -> None:
    """Show what the endowment is invested in."""
    with transaction():
        for line in queries.holdings():
            valued = f"valued on {line.valued_on} by {line.source}" if line.valued_on else "not valued yet"
            click.echo(f"{line.name}: {pounds(line.carried_pence)}, {valued}")


@contextmanager
def _named(what: str, name: str) -> Iterator[None]:
    """Say in a sentence that there is no such thing."""
    try:
        yield
    except NotFound:
        raise click.ClickException(f"There is no {what} {name}.") from None


class Share(click.ParamType):
    """A per cent with at most two decimals, in hundredths."""

    name = "per cent"

    def convert(self, value: str, param: click.Parameter | None, ctx: click.Context | None) -> int:
        """Hundredths of a per cent."""
        match = re.fullmatch(r"(\d{1,3})(?:\.(\d{1,2}))?%?", value.strip(), re.ASCII)
        if match is None:
            self.fail("Write it like 4 or 5.25.", param, ctx)
        return int(match[1]) * 100 + int((match[2] or "0").ljust(2, "0"))


@commands.command("choose-rule")
@click.argument("financial_year")
@click.argument("rule", type=click.Choice([rule.name for rule in rules.IN_USE]))
@click.option("--rate", type=Share(), help="The share of the value, as 4 or 5.25.")
@click.option("--weight", type=Share(), help="How much of it is last year's spending.")
@click.option("--low", type=Share(), help="The least share of the value.")
@click.option("--high", type=Share(), help="The most.")
def choose_rule(financial_year: str, rule: str, **given: int | None) -> None:
    """Choose the rule by which limits are set from a year (2026-27) on."""
    with transaction():
        row = actions.choose_rule(SYSTEM, financial_year, rule=rule,
                                  parameters={name: share for name, share in given.items() if share is not None})
        figures = ", ".join(f"{name} {rules.percent(share)}%" for name, share in row.parameters.items())
        click.echo(f"From {financial_year} on: {row.rule}, version {row.rule_version}, {figures}.")


@commands.command("record-price")
@click.argument("month", type=click.DateTime(["%Y-%m"]))
@click.argument("index")
@click.option("--source", required=True, help="Where it was read, as: ONS D7BT, released 16 July 2026.")
def record_price(month: datetime, index: str, source: str) -> None:
    """Record the price index (ONS D7BT, 2015=100) of the next MONTH, as 2026-06 142.6."""
    match = re.fullmatch(r"(\d{2,5})\.(\d)", index, re.ASCII)
    if match is None:
        raise click.ClickException("Write the index with one decimal, like 142.4.")
    with transaction():
        row = actions.record_price(SYSTEM, month=month.date(), tenths=int(match[1]) * 10 + int(match[2]), source=source)
        click.echo(f"Prices of {row.month:%Y-%m} stand at {row.tenths / 10}.")


@commands.command("check-limit")
@click.argument("financial_year")
def check_limit(financial_year: str) -> None:
    """Work a year's limit out again from the inputs in its public record."""
    with transaction():
        try:
            limit = queries.spending_limit(financial_year)
        except NotFound:
            raise click.ClickException(f"No limit is set for {financial_year}.") from None
        if limit.inputs_sha256 is None:
            raise click.ClickException("This limit is from before inputs were hashed.")
        again = rules.recomputed(limit.inputs)
        agrees = (hashlib.sha256(formats.canonical(limit.inputs)).digest() == limit.inputs_sha256
                  and (again.rule_pence, again.floor_pence, again.amount_pence)
                  == (limit.rule_pence, limit.floor_pence, limit.amount_pence))
        click.echo(f"{limit.rule} version {limit.rule_version} gives {pounds(again.rule_pence)}; the limit is "
                   f"{pounds(again.amount_pence)}; inputs {limit.inputs_sha256.hex()}.")
        if not agrees:
            raise click.ClickException("It does not agree with what is on the record.")


@commands.command("check")
def check() -> None:
    """Hold the endowment's rows against the ledger, and work every limit out again. Fails with what does not tie."""
    with transaction():
        entries, problems = queries.check()
    for problem in problems:
        click.echo(f"{problem.code}: {problem.where}: {problem.sentence}")
    if problems:
        raise click.ClickException(f"{len(problems)} of it does not tie.")
    click.echo(f"{entries} entries of the endowment: all of it ties to the ledger.")


@commands.command("draw-down")
@click.argument("financial_year")
@reference
@amount
@day
def draw_down(financial_year: str, reference: str, amount_pence: int, on: date) -> None:
    """Let part of a year's limit out to spend."""
    with transaction():
        row = actions.draw_down(SYSTEM, amount_pence=amount_pence, financial_year=financial_year, drawn_on=on,
                                reference=reference)
        click.echo(f"{pounds(row.amount_pence)} is spendable.")


@commands.command("budget-costs")
@click.argument("financial_year")
@reference
@amount
@day
def budget_costs(financial_year: str, reference: str, amount_pence: int, on: date) -> None:
    """Set spendable money by for a year's running costs and panel pay."""
    with transaction():
        row = actions.budget_running_costs(SYSTEM, amount_pence=amount_pence, financial_year=financial_year, set_on=on,
                                           reference=reference)
        click.echo(f"{pounds(row.amount_pence)} is set by.")
