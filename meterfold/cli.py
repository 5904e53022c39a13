"""The command line: every command, its place and its one line of help. On a collector's box there is no engine: its commands are all."""

from importlib.metadata import version
from importlib.util import find_spec
from typing import Annotated

import typer

from edge_collector import commands as edge

app = typer.Typer(
    name="meterfold",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_show_locals=False,
    help="Meter reads in, hardened determinants, adjustments and bills out. Every command takes --data DIR, or --config site.toml.",
)


def _show_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"meterfold {version('meterfold')}")
        raise typer.Exit


@app.callback()
def _options(
    _: Annotated[
        bool, typer.Option("--version", callback=_show_version, is_eager=True, help="Say which version this is.")
    ] = False,
) -> None:
    pass


_HAS_ENGINE = find_spec("bytewax") is not None
if _HAS_ENGINE:
    from meterfold import commands as engine

    engine.add_to(app)
edge.add_to(app, with_read=not _HAS_ENGINE)

if __name__ == "__main__":
    app()
