"""A user's own CSV: one row per recording, in either of two formats.

`file_path,emotion_code,...` with emotion words, or `path,label` with numbers; optional columns speaker,
gender, sentence, split, valence, arousal. A relative path is looked for beside the CSV, then from the project's
root; an address such as s3://bucket/clip.wav is taken as it is.
What is wrong with the table is told with file, row (the header is row 1, as in a spreadsheet) and column.
"""

import csv
import difflib
import io
import logging
import math
import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, fields, replace
from pathlib import Path, PurePosixPath

from featurize.errors import CorpusError
from pipeline.corpora.clip import Clip, Corpus
from pipeline.corpora.recordings import clip_ids
from pipeline.locations import PROTOCOL, Location, Url, locate

log = logging.getLogger(__name__)

PATH_COLUMNS = ("file_path", "path")
LABEL_COLUMNS = ("emotion_code", "label")
OPTIONAL_COLUMNS = ("speaker", "gender", "sentence", "split", "valence", "arousal")
GENDERS = dict.fromkeys(("female", "f", "woman"), "female") | dict.fromkeys(("male", "m", "man"), "male")
SPLIT_NAMES = dict.fromkeys(("train", "training"), "train") | {"test": "test"}
SPLIT_NAMES |= dict.fromkeys(("val", "valid", "validation", "dev", "development"), "val")


@dataclass(frozen=True)
class _Row:
    """A record with its place, so that a message can name it."""

    table: Path
    number: int
    cells: dict[str, str]

    def error(self, column: str, what: str) -> CorpusError:
        return CorpusError(f"{self.table}, row {self.number}, column {column}: {what}")


def read(table: Path) -> Corpus:
    """Read a CSV: UTF-8 or UTF-16, separated by comma, semicolon or tab.

    Identical rows are read once. A recording that is not there is no error here: it is rejected later.

    Raises:
        CorpusError: no such table, no rows, a missing column, an empty cell that is needed, a value of the
            wrong type, or one recording in rows that contradict each other.
    """
    rows = list(_rows(table, _text(table)))
    if not rows:
        raise CorpusError(f"{table}: no rows below the header")
    path_column = _column(table, rows[0], PATH_COLUMNS)
    label_column = _column(table, rows[0], LABEL_COLUMNS)
    seen: dict[str, tuple[_Row, Clip]] = {}
    for row in rows:
        clip = _clip(row, path_column, label_column)
        # Links are not followed: a version-control cache may link equal files to one.
        first, known = seen.setdefault(os.path.abspath(clip.path), (row, clip))  # noqa: PTH100
        if first is not row:
            _require_same(first, known, row, clip)
    if len(seen) < len(rows):
        log.warning("%s: %d duplicate rows dropped", table, len(rows) - len(seen))
    written = [
        PurePosixPath(PROTOCOL.sub("", row.cells[path_column]).lstrip("/")) for row, _ in seen.values()
    ]
    names = clip_ids("table", written)
    clips = [replace(clip, clip_id=name) for (_, clip), name in zip(seen.values(), names, strict=True)]
    _say_unknown_genders(table, [row for row, _ in seen.values()], clips)
    return Corpus("table", clips)


def _text(table: Path) -> str:
    try:
        data = table.read_bytes()
    except OSError as error:
        raise CorpusError(f"corpus.root: {table} cannot be read as a CSV: {error.strerror}") from error
    encoding = "utf-16" if data[:2] in {b"\xff\xfe", b"\xfe\xff"} else "utf-8-sig"
    try:
        return data.decode(encoding)
    except UnicodeDecodeError as error:
        row = data.count(b"\n", 0, error.start) + 1
        raise CorpusError(
            f"{table}, row {row}: not {encoding.removesuffix('-sig')} text; save it as UTF-8"
        ) from error


def _rows(table: Path, text: str) -> Iterator[_Row]:
    head = text.lstrip().partition("\n")[0]
    delimiter = max(",;\t", key=head.count)
    reader = csv.reader(
        io.StringIO(text, newline=""), delimiter=delimiter, strict=True, skipinitialspace=True
    )
    header: list[str] = []
    number = 0
    try:
        for number, cells in enumerate(reader, start=1):
            values = [cell.strip() for cell in cells]
            if not any(values):
                continue
            if not header:
                header = _header(table, values)
                continue
            if any(values[len(header) :]):
                raise CorpusError(
                    f"{table}, row {number}: {len(values)} cells under {len(header)} columns; "
                    f"put quotes around a path that holds {delimiter!r}"
                )
            values += [""] * (len(header) - len(values))
            yield _Row(table, number, dict(zip(header, values, strict=False)))
    except csv.Error as error:
        raise CorpusError(f"{table}, row {number + 1}: not readable as CSV: {error}") from error
    if not header:
        raise CorpusError(f"{table}: empty; expected a header such as {PATH_COLUMNS[0]},{LABEL_COLUMNS[0]}")


def _header(table: Path, cells: Sequence[str]) -> list[str]:
    header = [cell.lower() for cell in cells]
    for name in (*PATH_COLUMNS, *LABEL_COLUMNS, *OPTIONAL_COLUMNS):
        if header.count(name) > 1:
            raise CorpusError(f"{table}: two columns {name!r}; remove or rename one")
    return header


def _column(table: Path, row: _Row, names: Sequence[str]) -> str:
    """Name of the column to use: the first of `names` that the table has."""
    present = [name for name in row.cells if name]
    for name in names:
        if name in row.cells:
            return name
    near = [match for name in names for match in difflib.get_close_matches(name, present, n=1)]
    hint = f"; is {near[0]!r} meant?" if near else ""
    wanted = " or ".join(repr(name) for name in names)
    raise CorpusError(f"{table}: no column {wanted}; it has {', '.join(present)}{hint}")


def _clip(row: _Row, path_column: str, label_column: str) -> Clip:
    for column in (path_column, label_column):
        if not row.cells[column]:
            raise row.error(column, "empty")
    split = row.cells.get("split", "").lower()
    if split and split not in SPLIT_NAMES:
        raise row.error("split", f"unknown split {split!r}; use train, val or test")
    return Clip(
        clip_id="",
        path=_resolve(row.cells[path_column], row.table.parent),
        corpus="table",
        speaker=row.cells.get("speaker", ""),
        gender=GENDERS.get(row.cells.get("gender", "").lower(), ""),
        emotion=row.cells[label_column],
        valence=_number(row, "valence"),
        arousal=_number(row, "arousal"),
        split=SPLIT_NAMES.get(split, ""),
        sentence=row.cells.get("sentence", ""),
    )


def _resolve(text: str, folder: Path) -> Location:
    """An address or an absolute path as it is, else beside the CSV, else from the project's root: the first there."""
    if isinstance(address := locate(text), Url):
        return address
    beside = folder / text
    for candidate in (beside, Path(text)):
        if _exists(candidate):
            return candidate
    return beside


def _exists(path: Path) -> bool:
    try:
        return path.exists()
    except (OSError, ValueError):  # a name that is too long, a folder that may not be entered, a zero byte
        return False


def _number(row: _Row, column: str) -> float | None:
    text = row.cells.get(column, "")
    if text.lower() in {"", "nan"}:  # how pandas may write an unknown value
        return None
    try:
        value = float(text)
    except ValueError:
        raise row.error(column, f"{text!r} is not a number") from None
    if not math.isfinite(value):
        raise row.error(column, f"{text!r} is not a finite number")
    return value


def _require_same(first: _Row, known: Clip, row: _Row, clip: Clip) -> None:
    for field in fields(Clip):
        one, other = getattr(known, field.name), getattr(clip, field.name)
        if one != other:
            raise CorpusError(
                f"{row.table}: rows {first.number} and {row.number} contradict each other on {clip.path}: "
                f"{field.name} is {one!r} and {other!r}"
            )


def _say_unknown_genders(table: Path, rows: list[_Row], clips: list[Clip]) -> None:
    unread = [
        row for row, clip in zip(rows, clips, strict=True) if row.cells.get("gender") and not clip.gender
    ]
    if unread:
        word, row = unread[0].cells["gender"], unread[0].number
        log.warning("%s: gender of %d rows left empty (row %d: %r)", table, len(unread), row, word)
