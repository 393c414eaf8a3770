"""A data set of Hugging Face on disk: Parquet files with recordings in them, or an audiofolder.

    data/train-00000-of-00002.parquet    a column `audio` with bytes and path, and any others
    train/metadata.csv (or .jsonl)       a column `file_name`, relative to it, and any others
    train/happy/a.wav                    the folder is the class, where there is neither

Recordings are taken out of a Parquet file once, into a folder beside it; the package `datasets` is not needed.
"""

import logging
from collections.abc import Iterator, Sequence
from pathlib import Path, PurePosixPath
from typing import Any

from featurize.atomic import replacing, write_json
from featurize.decoders import walk_audio
from featurize.errors import CorpusError
from pipeline.corpora.corpus_contents import Corpus
from pipeline.corpora.layouts import emotion_folders
from pipeline.corpora.layouts.places import find_place, nearest_places
from pipeline.corpora.layouts.records import (
    holds_bytes,
    open_parquet,
    parquet_cells,
    read_records,
    rows_of,
    with_cells,
)
from pipeline.corpora.layouts.split_sets import group_files, split_of
from pipeline.corpora.tables.table_clips import corpus_of_rows
from pipeline.corpora.tables.table_columns import NAMES, plain
from pipeline.corpora.tables.table_file import Row
from pipeline.protocol.folds import some

log = logging.getLogger(__name__)

METADATA = ("metadata.csv", "metadata.jsonl", "metadata.parquet")
AT_ONCE = 64
"""Recordings that are in memory while they are taken out of a file."""


def read(root: Path, audio_root: Path | None = None) -> Corpus:
    """Read a data set.

    Args:
        root: its folder, or one Parquet file.
        audio_root: folder of the recordings, if their paths are not relative to the metadata.

    Raises:
        CorpusError: there is no data set, or those of several configurations; or as in `corpus_of_rows`.
        SerError: the recordings of a Parquet file cannot be written beside it.
    """
    if root.is_file():
        return corpus_of_rows(root, _of_parquet(root, root.parent), audio_root or root.parent, "huggingface")
    if root.is_dir() and not nearest_places(root, _is_place) and any(walk_audio(root)):
        return emotion_folders.read(root, audio_root, "huggingface")
    place = find_place(root, _is_place, "Parquet or metadata files")
    if files := _parquets(place):
        sets = group_files(files)
        if len(sets) > 1:
            named = some([f"{each.corpus} ({each.pattern})" for each in sets])
            raise CorpusError(
                f"corpus.root: {place} holds several configurations: {named}; name the folder of one"
            )
        rows = [row for file in files for row in _of_parquet(file, place)]
    else:
        rows = [row for file in _metadata(place) for row in _of_metadata(file, place)]
    return corpus_of_rows(place, rows, audio_root or place, "huggingface")


def _is_place(folder: Path) -> bool:
    return bool(_parquets(folder) or _metadata(folder))


def _parquets(folder: Path) -> list[Path]:
    found = sorted([*folder.glob("*.parquet"), *folder.glob("data/*.parquet")])
    return [file for file in found if file.name not in METADATA]


def _metadata(folder: Path) -> list[Path]:
    return [file for name in METADATA for file in sorted([*folder.glob(name), *folder.glob(f"*/{name}")])]


def _of_metadata(file: Path, place: Path) -> Iterator[Row]:
    inside = PurePosixPath(file.parent.relative_to(place).as_posix())
    for row in read_records(file):
        split = row.cells.get("split") or split_of(file)
        yield with_cells(row, {"path": (inside / row.cells["path"]).as_posix(), "split": split})


def _of_parquet(file: Path, place: Path) -> list[Row]:
    with open_parquet(file) as table:
        header, columns = parquet_cells(table)
        recordings = [name for name in header if holds_bytes(table.schema_arrow.field(name).type)]
        if recordings:
            at = header.index(recordings[0])
            folder = file.parent / f"{file.stem}.audio"
            names = _names(columns[at])
            inside = [*_taken_out(table, recordings[0], folder, names, file)]
            columns[at] = [
                (folder.relative_to(place) / name).as_posix() if there else written
                for name, there, written in zip(names, inside, columns[at], strict=True)
            ]
    _tell_corpora_apart(header, columns)
    rows = rows_of(file, header, [list(cells) for cells in zip(*columns, strict=True)])
    return [with_cells(row, {"split": row.cells.get("split") or split_of(file)}) for row in rows]


def _names(paths: Sequence[str]) -> list[str]:
    """A file name for each recording: the last part of its path, with the row in front where two have the same."""
    names = [_safe(PurePosixPath(path.replace("\\", "/")).name) for path in paths]
    unique = len({name.casefold() for name in names}) == len(names)
    return names if unique else [f"{row:06d}-{name}" for row, name in enumerate(names)]


def _safe(name: str) -> str:
    """A name that a file can have, and that is not hidden."""
    return name if name[:1] not in {"", "."} and "\0" not in name and len(name.encode()) < 200 else "clip.wav"


def _taken_out(table: Any, column: str, folder: Path, names: Sequence[str], file: Path) -> Iterator[bool]:
    """Write the recordings of a file into a folder, unless this was done; yields whether each row has one."""
    status = file.stat()
    state = {"size": status.st_size, "modified_ns": status.st_mtime_ns}
    done = folder / ".taken_out.json"
    if _read(done) == state:
        yield from ((folder / name).is_file() for name in names)
        return
    log.info("%s: the recordings in it are written to %s", file, folder)
    rows = iter(names)
    for batch in table.iter_batches(AT_ONCE, columns=[column]):
        for recording in batch.column(0).to_pylist():
            name, content = next(rows), (recording or {}).get("bytes")
            if content:
                with replacing(folder / name) as path:
                    path.write_bytes(content)
            yield bool(content)
    write_json(done, state)


def _read(file: Path) -> Any:
    import json

    try:
        return json.loads(file.read_text())
    except (OSError, ValueError):
        return None


def _tell_corpora_apart(header: Sequence[str], columns: list[list[str]]) -> None:
    """In a set of several corpora, whose speakers may have the same names, a speaker's begins with the corpus."""
    names = [plain(name) for name in header]
    speaker = next((names.index(name) for name in NAMES["speaker"] if name in names), None)
    corpus = names.index("dataset") if "dataset" in names else None
    if speaker is not None and corpus is not None and len(set(columns[corpus])) > 1:
        pairs = zip(columns[corpus], columns[speaker], strict=True)
        columns[speaker] = [f"{of}/{name}" if name else "" for of, name in pairs]
