"""One command per stage of the DAG."""

from typing import Annotated

import typer

from pipeline.commands.options import (
    CHECKPOINTS,
    DATA,
    PARAMS,
    REPORTS,
    Checkpoint,
    Checkpoints,
    Data,
    DataOrUrl,
    Device,
    Engine,
    ParamsFile,
    Reports,
    Workers,
    choose_engine,
    read_params,
)


def corpus(params: ParamsFile = PARAMS, data: Data = DATA) -> None:
    """Synthesise the demo corpus (other corpora are read from their folders)."""
    from pipeline.repository import require_inside
    from pipeline.stages.corpus import corpus as run

    require_inside(data, REPORTS)  # in the first stage, before the costly ones
    run(read_params(params).corpus, data / "raw" / "demo")


def manifest(
    params: ParamsFile = PARAMS,
    data: DataOrUrl = DATA,
    engine: Engine = "local",
    workers: Workers = None,
) -> None:
    """List the corpus, map its emotions to labels, split it by speaker, and check for leaks."""
    from pipeline.stages.manifest import manifest as run

    read = read_params(params)
    run(read.corpus, read.labels, read.split, data, read.audit, choose_engine(engine, workers))


def denoise(
    params: ParamsFile = PARAMS,
    data: DataOrUrl = DATA,
    reports: Reports = REPORTS,
    device: Device = "auto",
    engine: Engine = "local",
    workers: Workers = None,
) -> None:
    """Load and denoise every clip into waveform shards."""
    from pipeline.stages.denoise import denoise as run

    read = read_params(params)
    run(
        read.denoise,
        data,
        reports,
        read.corpus.max_reject_fraction,
        device,
        choose_engine(engine, workers),
        read.corpus.load,
    )


def featurize(
    params: ParamsFile = PARAMS,
    data: DataOrUrl = DATA,
    reports: Reports = REPORTS,
    engine: Engine = "local",
    workers: Workers = None,
) -> None:
    """Keep the speech of every clip and compute its MFCC into feature shards."""
    from pipeline.stages.featurize import featurize as run

    read = read_params(params)
    run(
        read.vad,
        read.mfcc,
        data,
        reports,
        read.corpus.max_reject_fraction,
        read.augment,
        engine=choose_engine(engine, workers),
    )


def encode(
    params: ParamsFile = PARAMS,
    data: DataOrUrl = DATA,
    reports: Reports = REPORTS,
    device: Device = "auto",
    engine: Engine = "local",
    workers: Workers = None,
) -> None:
    """Compute frames of a frozen encoder over every clip into encoding shards (encode.model)."""
    from pipeline.stages.encode import encode as run

    read = read_params(params)
    run(
        read.encode,
        data,
        reports,
        read.corpus.max_reject_fraction,
        read.augment,
        device,
        choose_engine(engine, workers),
    )


def train(
    params: ParamsFile = PARAMS,
    data: Data = DATA,
    checkpoints: Checkpoints = CHECKPOINTS,
    reports: Reports = REPORTS,
    device: Device = "auto",
    resume: Annotated[
        bool,
        typer.Option("--resume", help="Continue from last.pt; the result is that of an uninterrupted run."),
    ] = False,
) -> None:
    """Train the network; keep the best by validation UAR."""
    from pipeline.device import resolve_device
    from pipeline.stages.train import train as run

    read = read_params(params)
    run(read.network, read.train, data, checkpoints, reports, resolve_device(device), resume)


def evaluate(
    data: Data = DATA,
    checkpoints: Checkpoints = CHECKPOINTS,
    reports: Reports = REPORTS,
    checkpoint: Checkpoint = None,
    device: Device = "auto",
) -> None:
    """Score the best checkpoint on the test split."""
    from pipeline.device import resolve_device
    from pipeline.stages.evaluate import evaluate as run

    run(data, checkpoints, reports, checkpoint, resolve_device(device))


def baseline(
    params: ParamsFile = PARAMS,
    data: Data = DATA,
    reports: Reports = REPORTS,
    engine: Engine = "local",
    workers: Workers = None,
) -> None:
    """Score a linear classifier on the same splits, for comparison with the network."""
    from pipeline.stages.baseline import baseline as run

    run(read_params(params).baseline, data, reports, choose_engine(engine, workers))


def report(data: Data = DATA, reports: Reports = REPORTS) -> None:
    """Write the run as one self-contained HTML page."""
    from pipeline.stages.report import report as run

    typer.echo(run(data, reports))
