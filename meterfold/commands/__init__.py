"""The commands on a data directory, each file those of one subject."""

import typer

from meterfold.commands import accounts, bills, books, directory, imports, portfolio, quarantine, reads, tariffs
from meterfold.commands.demo import demo
from meterfold.commands.replay import replay_command


def add_to(app: typer.Typer) -> None:
    """Add the commands to the command line."""
    app.command()(demo)
    app.command()(directory.init)
    app.add_typer(portfolio.app, name="portfolio")
    app.add_typer(tariffs.app, name="tariff")
    app.add_typer(imports.app, name="import")
    app.add_typer(reads.app, name="read")
    app.command()(directory.run)
    app.command()(directory.gate)
    app.add_typer(bills.app, name="bill")
    app.add_typer(accounts.app, name="account")
    app.add_typer(books.app, name="books")
    app.add_typer(quarantine.app, name="quarantine")
    app.command("replay")(replay_command)
    app.command()(directory.rebuild)
    app.command()(directory.check)
    app.command()(directory.sql)
