"""Commands that train or score more than once, to find out what a number is worth."""

from typing import Annotated

import typer

from pipeline.commands.options import (
    DATA,
    PARAMS,
    REPORTS,
    Data,
    Device,
    ParamsFile,
    Reports,
    read_params,
)


def leak_tax(
    params: ParamsFile = PARAMS,
    data: Data = DATA,
    reports: Reports = REPORTS,
    device: Device = "auto",
    epochs: Annotated[int | None, typer.Option(min=1, help="Instead of train.epochs.")] = None,
    seed: Annotated[int | None, typer.Option(min=0, help="Instead of train.seed.")] = None,
) -> None:
    """Train on a random and on a speaker-independent split; the difference is what the leak is worth."""
    from pipeline.device import resolve_device
    from pipeline.leak_tax import leak_tax as run

    read = read_params(params)
    given = {"epochs": epochs, "seed": seed}
    train = read.train.model_copy(update={name: value for name, value in given.items() if value is not None})
    tax = run(read.network, train, read.split, data, reports, resolve_device(device))
    typer.echo(f"random split         test UAR {tax.random.uar:.3f}   {tax.random.protocol}")
    typer.echo(
        f"speaker-independent  test UAR {tax.speaker_independent.uar:.3f}   {tax.speaker_independent.protocol}"
    )
    typer.echo(f"leak tax             {tax.leak_tax:+.3f}")
