"""The command line: every command, its place and its one line of help."""

import typer

from meterfold.commands import bills, directory, imports, portfolio, quarantine
from meterfold.commands.demo import demo
from meterfold.commands.replay import replay_command

app = typer.Typer(
    name="meterfold",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_show_locals=False,
    help="Meter reads in, hardened determinants, adjustments and bills out. Every command takes --data DIR.",
)
app.command()(demo)
app.command()(directory.init)
app.add_typer(portfolio.app, name="portfolio")
app.add_typer(imports.app, name="import")
app.command()(directory.run)
app.command()(directory.gate)
app.add_typer(bills.app, name="bill")
app.add_typer(quarantine.app, name="quarantine")
app.command("replay")(replay_command)
app.command()(directory.rebuild)
app.command()(directory.check)
app.command()(directory.sql)

if __name__ == "__main__":
    app()
