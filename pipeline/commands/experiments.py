"""Commands that ask more of a trained network than its one score."""

from pathlib import Path
from typing import Annotated

import typer

from pipeline.commands.options import (
    CHECKPOINTS,
    DATA,
    REPORTS,
    Checkpoint,
    Checkpoints,
    Data,
    Device,
    Reports,
)


def robustness(
    noise: Annotated[Path, typer.Option(help="Folder of noise recordings that nothing was trained on.")],
    snr: Annotated[
        str, typer.Option(help="Levels in dB, with commas; clean is always among them.")
    ] = "20,10,5,0,-5",
    seed: Annotated[int, typer.Option(help="Deals other pieces of noise to the clips.")] = 0,
    checkpoint: Checkpoint = None,
    weights: Annotated[str | None, typer.Option(help="Local file of the denoiser's weights.")] = None,
    data: Data = DATA,
    checkpoints: Checkpoints = CHECKPOINTS,
    reports: Reports = REPORTS,
    device: Device = "auto",
) -> None:
    """Score a checkpoint on the test clips with noise added, through the whole of Tier 0."""
    from pipeline.device import resolve_device
    from pipeline.robustness import parse_snrs
    from pipeline.robustness import robustness as run
    from pipeline.stages.evaluate import best_checkpoint

    snrs_db = parse_snrs(snr)
    chosen = checkpoint or best_checkpoint(checkpoints)
    run(chosen, data, reports, noise, snrs_db, seed, weights, resolve_device(device))
