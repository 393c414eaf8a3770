"""`ser`: one command per stage of the DAG, and commands for experiments and single files.

Each command imports its libraries when it runs, so that `ser --help` is fast.
"""

import logging
import sys
from collections.abc import Callable
from typing import Any, NoReturn

import typer

from featurize.errors import SerError
from pipeline.commands import experiments, published_corpora, single_files, split_files, stages
from pipeline.commands.options import print_error
from pipeline.terminal import describe_fault, describe_refusal, replace_what_cannot_be_printed

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
        stages.encode,
        stages.train,
        stages.evaluate,
        stages.baseline,
        stages.report,
    ],
    "Corpora": [published_corpora.corpora],
    "Experiments": [
        experiments.summary,
        experiments.compare,
        experiments.cv,
        experiments.cross,
        experiments.ablate,
        experiments.robustness,
        experiments.leak_tax,
    ],
    "Other people's data": [split_files.audit],
    "Single files": [single_files.inspect, single_files.predict, single_files.doctor],
}
for panel, commands in PANELS.items():
    for command in commands:
        app.command(rich_help_panel=panel)(command)


def main(arguments: list[str] | None = None) -> Any:
    """Run `ser`. What goes wrong is one line on stderr.

    Exit codes: 2 for a `SerError`, a wrong option, or what the operating system refuses; 3 as `ser predict` has it;
    4 as `ser audit` has it; 1 for a fault of the program itself.
    """
    replace_what_cannot_be_printed()
    logging.basicConfig(level=logging.WARNING, format="%(message)s", stream=sys.stderr)
    for floor in ("featurize", "model", "pipeline"):
        logging.getLogger(floor).setLevel(logging.INFO)
    try:
        app(arguments)
    except SerError as error:
        _exit(str(error), 2)
    except OSError as error:
        _exit(describe_refusal(error), 2)
    except MemoryError:
        _exit("not enough memory", 2)
    except SystemExit as exiting:
        if exiting.code == INTERRUPTED:
            print_error("interrupted; run it again to continue")
        raise
    except Exception as error:
        _exit(describe_fault(error), 1)


def _exit(message: str, code: int) -> NoReturn:
    print_error(message)
    sys.exit(code)


if __name__ == "__main__":
    main()
