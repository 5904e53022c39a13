"""The collector's part of the command line. It is all that there is on a box; elsewhere it stands beside the other commands."""

import typer

from edge_collector.commands import looking, outbox
from edge_collector.commands.collect import collect
from edge_collector.commands.simulate import simulate


def add_to(app: typer.Typer, *, with_read: bool = True) -> None:
    """Add the commands to the command line. `with_read` False: somebody else has a `read` that does what this one does, and more."""
    app.command()(collect)
    app.command()(looking.scan)
    if with_read:
        app.command()(looking.read)
    app.command()(looking.inspect)
    app.add_typer(outbox.app, name="outbox")
    app.command()(simulate)
