"""The format of manifest.csv: one row per clip, with its label and split."""

from collections.abc import Iterator
from pathlib import Path

import pandas as pd

from featurize.errors import CorpusError
from pipeline.locations import Location, fetched

ROWS_AT_ONCE = 1000
"""Rows that `read_clips` holds in memory."""

SHARD_COLUMNS = (
    "clip_id",
    "path",
    "start_s",
    "end_s",
    "sha256",
    "corpus",
    "speaker",
    "gender",
    "emotion",
    "label",
    "valence",
    "arousal",
    "dominance",
    "class_votes",
    "split",
)
"""What the shards carry, since it is trained on or scored; a change of another column leaves them as they are."""
COLUMNS = (
    *SHARD_COLUMNS,
    "intensity",
    "language",
    "age",
    "session",
    "sentence",
    "text",
    "intended",
    "perceived",
    "votes",
    "raters",
    "agreement",
)


def read_manifest(path: Path) -> pd.DataFrame:
    """Read manifest.csv; every column is text and an empty cell is an empty string.

    Raises:
        CorpusError: the file is missing or not a manifest.
    """
    if not path.is_file():
        raise CorpusError(f"{path}: no manifest; run `ser manifest` first")
    try:
        table = pd.read_csv(path, dtype=str, keep_default_na=False, encoding="utf-8")
    except (ValueError, UnicodeDecodeError) as error:
        raise CorpusError(f"{path}: not a manifest ({error}); run `ser manifest` again") from error
    _require_columns(path, table)
    return table


def read_clips(path: Location) -> Iterator[dict[str, str]]:
    """Yield the rows of manifest.csv as the shards carry them, without reading the whole file into memory.

    Raises:
        CorpusError: the file is missing or not a manifest.
    """
    try:
        with (
            fetched(path) as local,
            pd.read_csv(
                local, dtype=str, keep_default_na=False, encoding="utf-8", chunksize=ROWS_AT_ONCE
            ) as parts,
        ):
            for table in parts:
                _require_columns(path, table)
                for values in table[list(SHARD_COLUMNS)].itertuples(index=False, name=None):
                    yield dict(zip(SHARD_COLUMNS, values, strict=True))
    except FileNotFoundError as error:
        raise CorpusError(f"{path}: no manifest; run `ser manifest` first") from error
    except (ValueError, UnicodeDecodeError) as error:
        raise CorpusError(f"{path}: not a manifest ({error}); run `ser manifest` again") from error


def _require_columns(path: Location, table: pd.DataFrame) -> None:
    missing = [name for name in SHARD_COLUMNS if name not in table.columns]
    if missing:
        raise CorpusError(
            f"{path}: not a manifest (no column {', '.join(missing)}); run `ser manifest` again"
        )
