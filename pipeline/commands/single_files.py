"""Commands for single files, and `ser doctor`."""

from pathlib import Path
from typing import Annotated, Literal

import typer

from featurize.errors import CheckpointError, SerError
from pipeline.commands.options import (
    CHECKPOINTS,
    PARAMS,
    Checkpoint,
    Checkpoints,
    Device,
    EncoderOption,
    ParamsFile,
    print_error,
    read_params,
)

ChannelOption = Annotated[
    Literal["left", "right", "each", "mix"] | None,
    typer.Option("--channel", help="Of several channels: their mean, one, or one after the other."),
]


def inspect(
    file: Annotated[Path, typer.Argument(help="An audio file.")],
    params: ParamsFile = PARAMS,
    plot: Annotated[
        Path | None, typer.Option(help="Also draw waveform, MFCC and frames to this .png, .svg or .pdf.")
    ] = None,
    device: Device = "auto",
    channel: ChannelOption = None,
    encoder: Annotated[
        str | None,
        typer.Option(
            "--encoder", help="Also show the frames of this encoder: a name of the Hub, or a folder."
        ),
    ] = None,
    layer: Annotated[
        list[int] | None,
        typer.Option("--layer", min=0, help="With --encoder: a hidden state to show; may be repeated."),
    ] = None,
) -> None:
    """Run Tier 0 on one file: duration, speech found, MFCC statistics, frames of an encoder."""
    from pipeline.device import resolve_device
    from pipeline.inference.inspection import inspect as run

    if str(file) == "-" or "://" in str(file):
        raise SerError(f"{file}: ser inspect takes a file; save the recording first")
    if layer and not encoder:
        raise typer.BadParameter("--layer is of no use without --encoder")
    read = read_params(params)
    asked = {"model": encoder} | ({"layers": tuple(layer)} if layer else {})
    encode = read.encode.model_copy(update=asked) if encoder else None
    run(file, read.tier0, plot, resolve_device(device), channel, encode)


def predict(
    recordings: Annotated[
        list[str],
        typer.Argument(
            help="Audio files, folders of them, http(s):// or s3:// addresses, or - for standard input."
        ),
    ],
    checkpoint: Checkpoint = None,
    json: Annotated[bool, typer.Option("--json", help="Print one JSON object per file.")] = False,
    csv: Annotated[bool, typer.Option("--csv", help="Print CSV with a header.")] = False,
    weights: Annotated[str | None, typer.Option(help="Local file of the denoiser's weights.")] = None,
    encoder: EncoderOption = None,
    params: ParamsFile = PARAMS,
    checkpoints: Checkpoints = CHECKPOINTS,
    device: Device = "auto",
    channel: ChannelOption = None,
    keep_silence: Annotated[
        bool, typer.Option("--keep-silence", help="Give files without speech an emotion as well.")
    ] = False,
    random_weights: Annotated[
        bool, typer.Option("--random-weights", help="Use an untrained network: the answers mean nothing.")
    ] = False,
) -> None:
    """Predict the emotion of recordings, with confidence and all probabilities. Exit code 3: no speech in a file."""
    if json and csv:
        raise typer.BadParameter("choose --json or --csv, not both")
    if checkpoint and random_weights:
        raise typer.BadParameter("choose --checkpoint or --random-weights, not both")
    if stray := [name for name in recordings if name.endswith((".pt", ".pth", ".ckpt"))]:
        raise SerError(
            f"{stray[0]}: a checkpoint among the recordings; --checkpoint takes one, or the folder of several"
        )
    from pipeline.device import resolve_device
    from pipeline.inference.answers import Style
    from pipeline.inference.predict import Predictor
    from pipeline.inference.predict import predict as run

    chosen = None if random_weights else _trained(checkpoint, checkpoints)
    if random_weights:
        print_error("RANDOM WEIGHTS: the network is untrained, and its answers mean nothing")
    tier0 = read_params(params).tier0 if random_weights else None
    predictor = Predictor(chosen, tier0, weights, resolve_device(device), encoder)
    style: Style = "json" if json else "csv" if csv else "table"
    if code := run(recordings, predictor, style, print_error, channel, keep_silence):
        raise typer.Exit(code)


def _trained(named: Path | None, folder: Path) -> Path:
    """The named checkpoint, else the best of the folder."""
    from pipeline.runs.best_checkpoint import choose_checkpoint

    try:
        return choose_checkpoint(named, folder)
    except CheckpointError as error:
        if named is not None:
            raise
        advice = "train one with `dvc repro`, name one with --checkpoint, or try --random-weights"
        raise CheckpointError(
            f"no --checkpoint was given, and {str(error).partition('; ')[0]}; {advice}"
        ) from error


def doctor(params: ParamsFile = PARAMS) -> None:
    """Print versions, device, threads, and which weights of denoisers and encoder are found."""
    from pipeline.doctor import doctor as run

    if not run(params):
        raise typer.Exit(2)
