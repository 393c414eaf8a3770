"""`ser corpora`: the corpora that are read by their names."""

from pathlib import Path
from typing import Annotated

import typer


def corpora(
    name: Annotated[
        str | None, typer.Argument(help="One corpus: layout, mistakes, folds, how to run it.")
    ] = None,
    root: Annotated[
        Path | None, typer.Option("--root", help="A folder of corpora, or of one: which of them are there?")
    ] = None,
) -> None:
    """List the corpora that are read by their names, or describe one."""
    from pipeline.corpora.description import print_corpora, print_corpus

    if name is None:
        print_corpora(root)
    else:
        print_corpus(name, root)
