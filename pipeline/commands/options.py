"""Options that several commands share, and how a command speaks to its user."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from pipeline.locations import locate

if TYPE_CHECKING:
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
        help="Folder of manifest, waveforms and features; also an address such as s3://bucket/folder.",
    ),
]
Engine = Annotated[
    str,
    typer.Option("--engine", envvar="SER_ENGINE", help="Where shards are made: local, or ray (a cluster)."),
]
Workers = Annotated[
    int | None,
    typer.Option(
        "--workers",
        envvar="SER_WORKERS",
        min=0,
        help="Worker processes, or Ray actors; as many as pay if not given. 0: none, all in this process.",
    ),
]
Checkpoint = Annotated[
    Path | None,
    typer.Option("--checkpoint", "-c", help="A trained network: checkpoints/best_uar_<score>.pt."),
]

PARAMS = Path("params.yaml")
DATA = Path("data")
CHECKPOINTS = Path("checkpoints")
REPORTS = Path("reports")


def read_params(path: Path) -> "Params":
    """params.yaml; imported late, for it needs everything that has parameters."""
    from pipeline.params import load_params

    return load_params(path)


def complain(message: str) -> None:
    """One line on stderr."""
    typer.secho(f"ser: {message}", fg="red", err=True)
