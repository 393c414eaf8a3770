"""Commands that run or compare whole experiments."""

from typing import Annotated

import typer

from pipeline.commands.options import REPORTS, Reports

Seeds = Annotated[int, typer.Option("--seeds", min=1, help="Training seeds: train.seed and those after it.")]


def cv(
    seeds: Seeds = 1,
    queue: Annotated[
        bool, typer.Option("--queue", help="Only queue what is missing, for `dvc queue start`.")
    ] = False,
    reports: Reports = REPORTS,
) -> None:
    """Test on every fold in turn, each a DVC experiment: mean, deviation, pooled confusion matrix."""
    from pipeline.crossvalidation import cross_validate

    cross_validate(seeds, reports, queue)


def ablate(
    denoise: Annotated[list[str] | None, typer.Option(help="A denoise.model; give it once for each.")] = None,
    vad: Annotated[list[str] | None, typer.Option(help="A vad.method; likewise.")] = None,
    augment: Annotated[list[int] | None, typer.Option(help="A number of augment.copies; likewise.")] = None,
    seeds: Seeds = 1,
    reports: Reports = REPORTS,
) -> None:
    """Try denoiser × VAD × augmentation, each combination a DVC experiment, and tabulate the scores."""
    from pipeline.ablation import ablate as run

    run(denoise or ["none", "compact"], vad or ["silero", "none"], augment or [0, 2], seeds, reports)
