"""Options that several commands share, and how a command speaks to its user."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

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
