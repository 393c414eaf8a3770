"""Options that several commands share, and the printing of errors."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from featurize.errors import SerError
from pipeline.locations import locate

if TYPE_CHECKING:
    from pipeline.extraction.engine import Engine as AnyEngine
    from pipeline.params import Params

ParamsFile = Annotated[Path, typer.Option("--params", help="Parameters of every stage.")]
Data = Annotated[Path, typer.Option("--data", help="Folder of manifest, waveforms and features.")]
Checkpoints = Annotated[Path, typer.Option("--checkpoints", help="Folder of trained networks.")]
Reports = Annotated[Path, typer.Option("--reports", help="Folder of metrics, predictions and the report.")]
Device = Annotated[
    str,
    typer.Option("--device", envvar="SER_DEVICE", help="cpu, cuda, cuda:1, mps, or auto (a GPU if present)."),
]
DataOrUrl = Annotated[
    Any,
    typer.Option(
        "--data",
        parser=locate,
        metavar="FOLDER",
        help="Folder of manifest, waveforms and features, or a URL such as s3://bucket/folder.",
    ),
]
Engine = Annotated[
    str,
    typer.Option(
        "--engine", envvar="SER_ENGINE", help="Where shards are computed: local, or ray (a cluster)."
    ),
]
Workers = Annotated[
    int | None,
    typer.Option(
        "--workers",
        envvar="SER_WORKERS",
        min=0,
        help="Worker processes, or Ray actors; chosen automatically by default. 0: all work in this process.",
    ),
]
Checkpoint = Annotated[
    Path | None,
    typer.Option("--checkpoint", "-c", help="A trained network, or a folder of which the best is taken."),
]

EncoderOption = Annotated[
    str | None,
    typer.Option("--encoder", help="Folder of the encoder that the network was trained on, if it has moved."),
]

PARAMS = Path("params.yaml")
DATA = Path("data")
CHECKPOINTS = Path("checkpoints")
REPORTS = Path("reports")


def read_params(path: Path) -> "Params":
    """Read params.yaml; the import is here because it imports all modules with parameters."""
    from pipeline.params import load_params

    return load_params(path)


def choose_engine(name: str, workers: int | None) -> "AnyEngine":
    """The engine of --engine and --workers; hardware is no parameter, for it changes no number.

    Args:
        name: "local" or "ray".
        workers: number of worker processes; None: as many as are of use; 0 with "local": none, in this process.

    Raises:
        SerError: no such engine, or Ray is not installed or no cluster answers.
    """
    from pipeline.extraction.engine import InProcess
    from pipeline.extraction.ray_engine import RayEngine
    from pipeline.extraction.workers import LocalEngine

    if name == "ray":
        return RayEngine(workers)
    if name != "local":
        raise SerError(f"--engine {name}: no such engine; choose local or ray")
    return InProcess() if workers == 0 else LocalEngine(workers)


def print_error(message: str) -> None:
    """Print one line to stderr, red on a terminal."""
    text = f"ser: {' '.join(message.splitlines())}"
    sys.stderr.write((typer.style(text, fg="red") if sys.stderr.isatty() else text) + "\n")
