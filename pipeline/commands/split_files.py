"""`ser audit`."""

from pathlib import Path
from typing import Annotated

import typer

from pipeline.commands.options import Engine, Workers, choose_engine

LEAKS = 4
"""Exit code of `ser audit` where a split leaks."""


def audit(
    files: Annotated[
        list[Path],
        typer.Argument(
            help="Train and test files of a split (CSV, JSON Lines, Parquet), one table with a split column, or "
            "folders of such files."
        ),
    ],
    speaker: Annotated[
        list[str] | None,
        typer.Option(
            help="Regular expression that finds the speaker in a path, by its groups; CORPUS=PATTERN for one corpus. "
            "Repeat for several."
        ),
    ] = None,
    audio: Annotated[
        Path | None, typer.Option(help="Folder of the recordings, to compare their bytes and sound as well.")
    ] = None,
    fingerprint: Annotated[
        bool, typer.Option("--fingerprint/--no-fingerprint", help="Compare the sound of recordings found.")
    ] = True,
    json: Annotated[bool, typer.Option("--json", help="Print one JSON object, with all findings.")] = False,
    engine: Engine = "local",
    workers: Workers = None,
) -> None:
    """Search the split files of any tool for leaks: speakers and clips in two splits. Exit code 4: it leaks."""
    import logging

    from pipeline.audit.split_files.audit_files import audit_files
    from pipeline.audit.split_files.verdict_table import lines_of

    chosen = choose_engine(engine, workers)
    readers = logging.getLogger("pipeline.corpora")
    level = readers.level
    readers.setLevel(logging.WARNING)  # which columns each file has is no news here
    try:
        found = audit_files(files, chosen, speaker=speaker or (), audio=audio, fingerprint=fingerprint)
    finally:
        readers.setLevel(level)
    typer.echo(found.model_dump_json(indent=2) if json else "\n".join(lines_of(found)))
    if found.leaks:
        raise typer.Exit(LEAKS)
