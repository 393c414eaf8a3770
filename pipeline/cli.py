"""`ser`: one command per stage of the DAG, and a few for experiments and single files.

Everything heavy is imported inside the commands, so that `ser --help` answers at once.
"""

import logging
import sys
from collections.abc import Callable
from typing import Any

import typer

from featurize.errors import SerError
from pipeline.commands import experiments, single_files, stages
from pipeline.commands.options import complain

INTERRUPTED = 130  # what typer makes of Ctrl-C

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
    """Run `ser`; an error of the user's making is one line on stderr and exit code 2."""
    logging.basicConfig(level=logging.WARNING, format="%(message)s", stream=sys.stderr)
    for floor in ("featurize", "model", "pipeline"):
        logging.getLogger(floor).setLevel(logging.INFO)
    try:
        app(arguments)
    except SerError as error:
        complain(str(error))
        sys.exit(2)
    except SystemExit as left:
        if left.code == INTERRUPTED:
            complain("interrupted; run it again, and it goes on where it stopped")
        raise


if __name__ == "__main__":
    main()
