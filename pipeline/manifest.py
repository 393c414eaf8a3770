"""The manifest's format: one row a clip, what it is and which split it belongs to."""

import json
from pathlib import Path
from typing import Any

import pandas as pd

from featurize.errors import CorpusError

COLUMNS = (
    "clip_id",
    "path",
    "sha256",
    "corpus",
    "speaker",
    "gender",
    "emotion",
    "label",
    "valence",
    "arousal",
    "split",
)


def read_manifest(path: Path) -> pd.DataFrame:
    """Read manifest.csv; every column is text and an empty cell is an empty string.

    Raises:
        CorpusError: the file is missing or is no manifest.
    """
    if not path.is_file():
        raise CorpusError(f"{path}: no manifest; run `ser manifest` first")
    try:
        table = pd.read_csv(path, dtype=str, keep_default_na=False, encoding="utf-8")
    except (ValueError, UnicodeDecodeError) as error:
        raise CorpusError(f"{path}: not a manifest ({error}); run `ser manifest` again") from error
    missing = [name for name in COLUMNS if name not in table.columns]
    if missing:
        raise CorpusError(
            f"{path}: not a manifest (no column {', '.join(missing)}); run `ser manifest` again"
        )
    return table


def read_summary(path: Path) -> dict[str, Any]:
    """Read manifest.json: label names in class order, protocol, counts.

    Raises:
        CorpusError: the file is missing or damaged.
    """
    try:
        summary: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise CorpusError(f"{path}: no manifest summary; run `ser manifest` first") from error
    except ValueError as error:
        raise CorpusError(f"{path}: damaged manifest summary ({error}); run `ser manifest` again") from error
    return summary
