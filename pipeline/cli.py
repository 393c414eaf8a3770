"""`ser`: one command per stage of the DAG, and commands for experiments and single files.

Each command imports its libraries when it runs, so that `ser --help` is fast.
"""

import logging
import sys
from collections.abc import Callable
from typing import Any

import typer

from featurize.errors import SerError
from pipeline.commands import experiments, single_files, stages
from pipeline.commands.options import print_error

INTERRUPTED = 130
"""typer's exit code after Ctrl-C."""

app = typer.Typer(
    name="ser",
    help="Speech emotion recognition: from audio to a report, stage by stage or file by file.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)

PANELS: dict[str, list[Callable[..., None]]] = {
    "Stages, in the order of the DAG": [
        stages.corpus,
        stages.manifest,
        stages.denoise,
        stages.featurize,
        stages.train,
        stages.evaluate,
        stages.report,
    ],
    "Experiments": [
        experiments.summary,
        experiments.compare,
        experiments.cv,
        experiments.ablate,
        experiments.robustness,
        experiments.leak_tax,
    ],
    "Single files": [single_files.inspect, single_files.predict, single_files.doctor],
}
for panel, commands in PANELS.items():
    for command in commands:
        app.command(rich_help_panel=panel)(command)


def main(arguments: list[str] | None = None) -> Any:
    """Run `ser`; a `SerError` is printed as one line on stderr, with exit code 2."""
    logging.basicConfig(level=logging.WARNING, format="%(message)s", stream=sys.stderr)
    for floor in ("featurize", "model", "pipeline"):
        logging.getLogger(floor).setLevel(logging.INFO)
    try:
        app(arguments)
    except SerError as error:
        print_error(str(error))
        sys.exit(2)
    except SystemExit as exiting:
        if exiting.code == INTERRUPTED:
            print_error("interrupted; run it again to continue")
        raise


if __name__ == "__main__":
    main()
