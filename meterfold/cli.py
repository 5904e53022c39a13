"""The command line: every command, its place and its one line of help."""

from importlib.metadata import version
from typing import Annotated

import typer

from meterfold.commands import bills, directory, imports, portfolio, quarantine
from meterfold.commands.demo import demo
from meterfold.commands.replay import replay_command
from meterfold.session import session

app = typer.Typer(
    name="meterfold",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_show_locals=False,
    help="Meter reads in, hardened determinants, adjustments and bills out. Every command takes --data DIR.",
)


def _show_version(wanted: bool) -> None:
    if wanted:
        session().out.print(f"meterfold {version('meterfold')}")
        raise typer.Exit


@app.callback()
def _options(
    _: Annotated[
        bool, typer.Option("--version", callback=_show_version, is_eager=True, help="Say which version this is.")
    ] = False,
) -> None:
    pass


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
