"""The `fund` command: each part's commands under one name."""

import click

import fund.allocations.cli
import fund.applications.cli
import fund.bank.cli
import fund.decisions.cli
import fund.documents.cli
import fund.endowment.cli
import fund.grants.cli
import fund.ledger.cli
import fund.neighbourhoods.cli
import fund.notifications.cli
import fund.organisations.cli
import fund.panels.cli
import fund.people.cli
import fund.rounds.cli


@click.group()
def main() -> None:
    """The Levelling Up Communities Fund."""


for part in (fund.ledger, fund.endowment, fund.neighbourhoods, fund.documents, fund.notifications, fund.people,
             fund.organisations, fund.allocations, fund.rounds, fund.applications, fund.panels, fund.decisions,
             fund.grants, fund.bank):
    main.add_command(part.cli.commands)
