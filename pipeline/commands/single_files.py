"""Commands for single files, and `ser doctor`."""

from pathlib import Path
from typing import Annotated, Literal

import typer

from pipeline.commands.options import PARAMS, Checkpoint, Device, ParamsFile, print_error, read_params

ChannelOption = Annotated[
    Literal["left", "right", "each", "mix"] | None,
    typer.Option("--channel", help="Of several channels: their mean, one, or one after the other."),
]


def inspect(
    file: Annotated[Path, typer.Argument(help="An audio file.")],
    params: ParamsFile = PARAMS,
    plot: Annotated[
        Path | None, typer.Option(help="Also draw waveform and MFCC to this .png or .svg.")
    ] = None,
    device: Device = "auto",
    channel: ChannelOption = None,
) -> None:
    """Run Tier 0 on one file: duration, speech found, MFCC statistics."""
    from pipeline.device import resolve_device
    from pipeline.inference.inspection import inspect as run

    run(file, read_params(params).tier0, plot, resolve_device(device), channel)


def predict(
    files: Annotated[list[Path], typer.Argument(help="Audio files.")],
    checkpoint: Checkpoint = None,
    json: Annotated[bool, typer.Option("--json", help="Print one JSON object per file.")] = False,
    csv: Annotated[bool, typer.Option("--csv", help="Print CSV with a header.")] = False,
    weights: Annotated[str | None, typer.Option(help="Local file of the denoiser's weights.")] = None,
    params: ParamsFile = PARAMS,
    device: Device = "auto",
    channel: ChannelOption = None,
    keep_silence: Annotated[
        bool, typer.Option("--keep-silence", help="Give files without speech an emotion as well.")
    ] = False,
) -> None:
    """Predict the emotion of audio files, with confidence and all probabilities. Exit code 3: no speech in a file."""
    from pipeline.device import resolve_device
    from pipeline.inference.answers import Style
    from pipeline.inference.predict import Predictor
    from pipeline.inference.predict import predict as run

    if json and csv:
        raise typer.BadParameter("choose --json or --csv, not both")
    if checkpoint is None:
        print_error("no --checkpoint given: RANDOM WEIGHTS, the predictions mean nothing")
    tier0 = None if checkpoint else read_params(params).tier0
    predictor = Predictor(checkpoint, tier0, weights, resolve_device(device))
    style: Style = "json" if json else "csv" if csv else "table"
    if code := run(files, predictor, style, print_error, channel, keep_silence):
        raise typer.Exit(code)


def doctor(params: ParamsFile = PARAMS) -> None:
    """Print versions, device, threads, and which denoiser weights are found."""
    from pipeline.doctor import doctor as run

    if not run(params):
        raise typer.Exit(2)
