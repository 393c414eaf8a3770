"""`ser`: one command per stage of the DAG, and a few for single files.

Everything heavy is imported inside the commands, so that `ser --help` answers at once.
"""

import logging
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from featurize.errors import SerError

if TYPE_CHECKING:
    from pipeline.params import Params

app = typer.Typer(
    name="ser",
    help="Speech emotion recognition: from audio to a report, stage by stage or file by file.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)

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

STAGES = "Stages, in the order of the DAG"
FILES = "Single files"


def _params(path: Path) -> "Params":
    from pipeline.params import load_params

    return load_params(path)


def _complain(message: str) -> None:
    typer.secho(f"ser: {message}", fg="red", err=True)


@app.command(rich_help_panel=STAGES)
def corpus(params: ParamsFile = PARAMS, data: Data = DATA) -> None:
    """Synthesise the demo corpus (other corpora are read where they lie)."""
    from pipeline.stages.corpus import corpus as run

    run(_params(params).corpus, data / "raw" / "demo")


@app.command(rich_help_panel=STAGES)
def manifest(params: ParamsFile = PARAMS, data: Data = DATA) -> None:
    """List the corpus, map its emotions to labels, split it by speaker, and check for leaks."""
    from pipeline.stages.manifest import manifest as run

    read = _params(params)
    run(read.corpus, read.labels, read.split, data)


@app.command(rich_help_panel=STAGES)
def denoise(
    params: ParamsFile = PARAMS, data: Data = DATA, reports: Reports = REPORTS, device: Device = "auto"
) -> None:
    """Load and denoise every clip into waveform shards."""
    from pipeline.device import resolve_device
    from pipeline.stages.denoise import denoise as run

    read = _params(params)
    run(read.denoise, data, reports, read.corpus.max_reject_fraction, resolve_device(device))


@app.command(rich_help_panel=STAGES)
def featurize(params: ParamsFile = PARAMS, data: Data = DATA, reports: Reports = REPORTS) -> None:
    """Keep the speech of every clip and compute its MFCC into feature shards."""
    from pipeline.stages.featurize import featurize as run

    read = _params(params)
    run(read.vad, read.mfcc, data, reports, read.corpus.max_reject_fraction)


@app.command(rich_help_panel=STAGES)
def train(
    params: ParamsFile = PARAMS,
    data: Data = DATA,
    checkpoints: Checkpoints = CHECKPOINTS,
    reports: Reports = REPORTS,
    device: Device = "auto",
) -> None:
    """Train the network; keep the best by validation UAR."""
    from pipeline.device import resolve_device
    from pipeline.stages.train import train as run

    read = _params(params)
    run(read.network, read.train, data, checkpoints, reports, resolve_device(device))


@app.command(rich_help_panel=STAGES)
def evaluate(
    data: Data = DATA,
    checkpoints: Checkpoints = CHECKPOINTS,
    reports: Reports = REPORTS,
    checkpoint: Checkpoint = None,
    device: Device = "auto",
) -> None:
    """Score the best checkpoint on the test split, once."""
    from pipeline.device import resolve_device
    from pipeline.stages.evaluate import evaluate as run

    run(data, checkpoints, reports, checkpoint, resolve_device(device))


@app.command(rich_help_panel=STAGES)
def report(data: Data = DATA, reports: Reports = REPORTS) -> None:
    """Write the run as one self-contained HTML page."""
    from pipeline.stages.report import report as run

    typer.echo(run(data, reports))


@app.command(rich_help_panel=FILES)
def inspect(
    file: Annotated[Path, typer.Argument(help="An audio file.")],
    params: ParamsFile = PARAMS,
    plot: Annotated[Path | None, typer.Option(help="Also draw it to this .png or .svg.")] = None,
    device: Device = "auto",
) -> None:
    """Run Tier 0 on one file: duration, speech found, MFCC statistics."""
    from pipeline.device import resolve_device
    from pipeline.inspection import inspect as run

    run(file, _params(params).tier0, plot, resolve_device(device))


@app.command(rich_help_panel=FILES)
def predict(
    files: Annotated[list[Path], typer.Argument(help="Audio files.")],
    checkpoint: Checkpoint = None,
    json: Annotated[bool, typer.Option("--json", help="Print one JSON object per file.")] = False,
    csv: Annotated[bool, typer.Option("--csv", help="Print CSV with a header.")] = False,
    weights: Annotated[str | None, typer.Option(help="Local file of the denoiser's weights.")] = None,
    params: ParamsFile = PARAMS,
    device: Device = "auto",
) -> None:
    """Tell the emotion of audio files, with confidence and all probabilities."""
    from pipeline.device import resolve_device
    from pipeline.predict import Predictor
    from pipeline.predict import predict as run

    if json and csv:
        raise typer.BadParameter("choose --json or --csv, not both")
    if checkpoint is None:
        _complain("no --checkpoint given: RANDOM WEIGHTS, the answers mean nothing")
    tier0 = None if checkpoint else _params(params).tier0
    predictor = Predictor(checkpoint, tier0, weights, resolve_device(device))
    if not run(files, predictor, "json" if json else "csv" if csv else "table", _complain):
        raise typer.Exit(2)


@app.command(rich_help_panel=FILES)
def doctor(params: ParamsFile = PARAMS) -> None:
    """Show versions, device, threads, and which denoiser weights are found."""
    from pipeline.doctor import doctor as run

    if not run(params):
        raise typer.Exit(2)


def main(arguments: list[str] | None = None) -> Any:
    """Run `ser`; an error of the user's making is one line on stderr and exit code 2."""
    logging.basicConfig(level=logging.WARNING, format="%(message)s", stream=sys.stderr)
    for floor in ("featurize", "model", "pipeline"):
        logging.getLogger(floor).setLevel(logging.INFO)
    try:
        app(arguments)
    except SerError as error:
        _complain(str(error))
        sys.exit(2)


if __name__ == "__main__":
    main()
