"""Commands that compare runs, or train or score more than once."""

from pathlib import Path
from typing import Annotated, Literal

import typer

from pipeline.commands.options import (
    CHECKPOINTS,
    DATA,
    PARAMS,
    REPORTS,
    Checkpoint,
    Checkpoints,
    Data,
    Device,
    EncoderOption,
    ParamsFile,
    Reports,
    read_params,
)

Run = Annotated[
    str,
    typer.Argument(help="A DVC experiment, tag or commit; a folder with evaluation.json; or `workspace`."),
]
Seeds = Annotated[
    int, typer.Option("--seeds", min=1, help="Number of training seeds: train.seed and the ones after it.")
]


Queue = Annotated[
    bool, typer.Option("--queue", help="Only queue the missing experiments, for `dvc queue start`.")
]


def summary(run: Run = "workspace", reports: Reports = REPORTS) -> None:
    """Print a run's test scores and their protocol in a few lines."""
    from pipeline.runs.evaluated_run import read_run, summarise

    typer.echo("\n".join(summarise(read_run(run, reports))))


def compare(
    first: Run,
    second: Run,
    json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
    reports: Reports = REPORTS,
) -> None:
    """Test whether one run is better than another, or the difference may be chance."""
    from json import dumps

    from pipeline.runs.compare import compare as run
    from pipeline.runs.compare import format_comparison

    comparison = run(first, second, reports)
    typer.echo(dumps(comparison.as_dict(), indent=2) if json else "\n".join(format_comparison(comparison)))


def cv(
    seeds: Seeds = 1,
    queue: Queue = False,
    baseline: Annotated[
        bool, typer.Option("--baseline", help="Cross-validate the baseline instead of the network.")
    ] = False,
    reports: Reports = REPORTS,
) -> None:
    """Cross-validate, each fold a DVC experiment: mean, standard deviation, pooled confusion matrix."""
    from pipeline.experiments.crossvalidation import cross_validate

    cross_validate(seeds, reports, queue, baseline)


def cross(
    train: Annotated[
        Literal["one", "others", "both"],
        typer.Option(help="Train on one corpus, on all others than the one tested on, or both."),
    ] = "both",
    seeds: Seeds = 1,
    queue: Queue = False,
    baseline: Annotated[
        bool, typer.Option("--baseline", help="Train the baseline instead of the network.")
    ] = False,
    reports: Reports = REPORTS,
) -> None:
    """Train on each of several corpora, or on all but one, and test on the others: a matrix of UARs."""
    from pipeline.experiments.cross import HOWS
    from pipeline.experiments.cross import cross as run

    run([how for how, short in HOWS.items() if train in {short, "both"}], seeds, reports, queue, baseline)


def ablate(
    denoise: Annotated[list[str] | None, typer.Option(help="A denoise.model; repeat for each.")] = None,
    vad: Annotated[list[str] | None, typer.Option(help="A vad.method; repeat for each.")] = None,
    augment: Annotated[
        list[int] | None, typer.Option(help="A number of augment.copies; repeat for each.")
    ] = None,
    views: Annotated[
        list[str] | None,
        typer.Option(
            help="A network.views, such as mfcc+encoder; repeat for each. Default: as in params.yaml."
        ),
    ] = None,
    seeds: Seeds = 1,
    reports: Reports = REPORTS,
) -> None:
    """Compare denoiser × VAD × augmentation × views, each combination a DVC experiment, in a table of scores."""
    from pipeline.experiments.ablation import ablate as run

    run(
        denoise or ["none", "compact"],
        vad or ["silero", "none"],
        augment or [0, 2],
        seeds,
        reports,
        views or (),
    )


def robustness(
    noise: Annotated[Path, typer.Option(help="Folder of noise recordings that were not used in training.")],
    snr: Annotated[
        str, typer.Option(help="SNRs in dB, separated by commas; clean speech is always scored too.")
    ] = "20,10,5,0,-5",
    seed: Annotated[int, typer.Option(help="Seed of the noise excerpts.")] = 0,
    checkpoint: Checkpoint = None,
    weights: Annotated[str | None, typer.Option(help="Local file of the denoiser's weights.")] = None,
    encoder: EncoderOption = None,
    data: Data = DATA,
    checkpoints: Checkpoints = CHECKPOINTS,
    reports: Reports = REPORTS,
    device: Device = "auto",
) -> None:
    """Score a checkpoint on the test clips with added noise, through the whole of Tier 0."""
    from pipeline.device import resolve_device
    from pipeline.experiments.robustness import parse_snrs
    from pipeline.experiments.robustness import robustness as run
    from pipeline.runs.best_checkpoint import choose_checkpoint

    snrs_db = parse_snrs(snr)
    chosen = choose_checkpoint(checkpoint, checkpoints)
    run(chosen, data, reports, noise, snrs_db, seed, weights, resolve_device(device), encoder)


def leak_tax(
    params: ParamsFile = PARAMS,
    data: Data = DATA,
    reports: Reports = REPORTS,
    device: Device = "auto",
    epochs: Annotated[int | None, typer.Option(min=1, help="Instead of train.epochs.")] = None,
    seed: Annotated[int | None, typer.Option(min=0, help="Instead of train.seed.")] = None,
) -> None:
    """Train on a random and on a speaker-independent split, and print the difference in UAR."""
    from pipeline.device import resolve_device
    from pipeline.experiments.leak_tax import leak_tax as run

    read = read_params(params)
    epochs = epochs or read.train.epochs
    seed = read.train.seed if seed is None else seed
    train = read.train.model_copy(update={"epochs": epochs, "seed": seed})
    tax = run(read.network, train, read.split, data, reports, resolve_device(device))
    typer.echo(f"random split         test UAR {tax.random.uar:.3f}   {tax.random.protocol}")
    typer.echo(
        f"speaker-independent  test UAR {tax.speaker_independent.uar:.3f}   {tax.speaker_independent.protocol}"
    )
    typer.echo(f"leak tax             {tax.leak_tax:+.3f}")
