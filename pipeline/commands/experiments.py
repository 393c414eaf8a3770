"""Commands for whole runs and the differences between them."""

from typing import Annotated

import typer

from pipeline.commands.options import REPORTS, Reports

Run = Annotated[
    str,
    typer.Argument(help="A DVC experiment, tag or commit; a folder with evaluation.json; or `workspace`."),
]


def summary(run: Run = "workspace", reports: Reports = REPORTS) -> None:
    """Tell a run's test scores and their protocol in a few lines."""
    from pipeline.scored import read_scored, summarise

    typer.echo("\n".join(summarise(read_scored(run, reports))))


def compare(
    first: Run,
    second: Run,
    json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
    reports: Reports = REPORTS,
) -> None:
    """Tell whether one run is better than another, or whether that may be chance."""
    from json import dumps

    from pipeline.compare import compare as run
    from pipeline.compare import tell

    comparison = run(first, second, reports)
    typer.echo(dumps(comparison.as_dict(), indent=2) if json else "\n".join(tell(comparison)))
