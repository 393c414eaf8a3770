"""A user's own table: one row per recording, or per part of one, as README describes it.

    table_bytes    bytes → text: encodings, and what is no table
    table_file     text → rows: separator, comments, quotes, header
    table_columns  which column is what, under our names and those of other tools
    table_cells    cells → values: what is unknown, invisible, a number, a time
    table_paths    paths → files

What is wrong is told with file, row (the header is row 1, as in a spreadsheet) and column.
"""

import logging
import os
from collections import Counter, defaultdict
from collections.abc import Callable, Sequence
from dataclasses import fields, replace
from pathlib import Path, PurePosixPath

from featurize.errors import CorpusError
from pipeline.corpora.clip import Clip, Corpus
from pipeline.corpora.recordings import clip_ids, distinct
from pipeline.corpora.table_cells import clean, known, known_name, number, seconds, shortest_integers
from pipeline.corpora.table_file import Row, read_rows
from pipeline.corpora.table_paths import find_audio_of

log = logging.getLogger(__name__)

GENDERS = dict.fromkeys(("female", "f", "woman", "w"), "female") | dict.fromkeys(("male", "m", "man"), "male")
SPLIT_NAMES = dict.fromkeys(("train", "training"), "train") | dict.fromkeys(("test", "testing"), "test")
SPLIT_NAMES |= dict.fromkeys(("val", "valid", "validation", "dev", "devel", "development"), "val")


def read(table: Path, audio_root: Path | None = None) -> Corpus:
    """Read a table.

    Identical rows are read once, rows without a label not at all. A recording that is not there is no error here,
    as long as others are: it is rejected later.

    Raises:
        CorpusError: no such table, no rows, a missing column, a value of the wrong type, not one recording there,
            or one recording (or part of one) in rows that contradict each other.
    """
    rows = _labelled(table, _without_comments(table, read_rows(table)))
    speakers = _speakers(table, rows)
    read_split = _split_reader(table, rows)
    clips = [_clip(row, speakers, read_split) for row in rows]
    found = find_audio_of(table, [row.cells["path"] for row in rows], audio_root)
    clips = [replace(clip, path=at.place) for clip, at in zip(clips, found, strict=True)]
    kept = _without_duplicates(table, rows, clips)
    clips = _named([clips[index] for index in kept], [found[index].name for index in kept])
    _log_unknown(table, [rows[index] for index in kept], clips)
    return Corpus("table", clips)


def _without_comments(table: Path, rows: list[Row]) -> list[Row]:
    comments = [row for row in rows if row.cells["path"].startswith("#") and not _is_there(row)]
    if comments:
        log.warning(
            "%s: %d rows begin with # (first: row %d) and are left out",
            table,
            len(comments),
            comments[0].number,
        )
    return [row for row in rows if row not in comments] if comments else rows


def _is_there(row: Row) -> bool:
    try:
        return (row.table.parent / row.cells["path"]).exists()
    except (OSError, ValueError):
        return False


def _labelled(table: Path, rows: list[Row]) -> list[Row]:
    """The rows whose label is known; the others are counted."""
    left = [row for row in rows if not known(row.cells["emotion"])]
    if left:
        first = f"first: row {left[0].number}, {left[0].cells['emotion']!r}"
        if len(left) == len(rows):
            raise CorpusError(f"{table}: no row has a label in column {left[0].names['emotion']} ({first})")
        log.warning(
            "%s: %d of %d rows have no label and are left out (%s)", table, len(left), len(rows), first
        )
    if not rows:
        raise CorpusError(f"{table}: no rows below the header but comments")
    return [row for row in rows if known(row.cells["emotion"])]


def _speakers(table: Path, rows: Sequence[Row]) -> dict[str, str]:
    """Cell → speaker. Where every id is a whole number, 3, 3.0 and 03 are one person: the shortest form stands."""
    written = {row.cells.get("speaker", "") for row in rows}
    names = {text: known_name(text) for text in written}
    numbers = shortest_integers(names.values())
    forms: dict[str, set[str]] = defaultdict(set)
    for text, name in names.items():
        forms[numbers.get(name, name)].add(name if name in numbers else text)
    forms.pop("", None)
    told = [
        f"{' and '.join(map(repr, sorted(each)))} as {name}" for name, each in forms.items() if len(each) > 1
    ]
    if told:
        log.warning(
            "%s: speakers written in several ways read as one: %s", table, "; ".join(sorted(told)[:5])
        )
    return {text: numbers.get(name, name) for text, name in names.items()}


def _split_reader(table: Path, rows: Sequence[Row]) -> Callable[[Row], str]:
    """What reads a row's split; a column that is only called like one is not read."""
    column = rows[0].names.get("split", "split")
    strange = next((row for row in rows if _split_word(row) and _split_word(row) not in SPLIT_NAMES), None)
    if strange is None:
        return lambda row: SPLIT_NAMES.get(_split_word(row), "")
    if clean(column).lower() == "split":
        raise strange.error("split", f"unknown split {_split_word(strange)!r}; use train, val or test")
    log.warning(
        "%s: column %s is not read as the split (row %d: %r)",
        table,
        column,
        strange.number,
        _split_word(strange),
    )
    return lambda _: ""


def _split_word(row: Row) -> str:
    return known(row.cells.get("split", "")).lower()


def _clip(row: Row, speakers: dict[str, str], read_split: Callable[[Row], str]) -> Clip:
    """A row as a clip without a name, its path as it is written."""
    if not row.cells["path"]:
        raise row.error("path", "empty")
    start_s, end_s = _span(row)
    return Clip(
        clip_id="",
        path=Path(row.cells["path"]),
        corpus="table",
        speaker=speakers[row.cells.get("speaker", "")],
        gender=GENDERS.get(known_name(row.cells.get("gender", "")).lower(), ""),
        emotion=known(row.cells["emotion"]),
        valence=_value(row, "valence", number),
        arousal=_value(row, "arousal", number),
        split=read_split(row),
        sentence=known(row.cells.get("sentence", "")),
        start_s=start_s,
        end_s=end_s,
    )


def _span(row: Row) -> tuple[float | None, float | None]:
    """Start and end in the file; both None where the row is the whole file."""
    times = {name: _value(row, name, seconds) for name in ("start", "end", "start_ms", "end_ms", "duration")}
    start, end = (
        times[name] if times[name] is not None or (ms := times[f"{name}_ms"]) is None else round(ms / 1000, 6)
        for name in ("start", "end")
    )
    if end is None and (duration := times["duration"]) is not None:
        end = round((start or 0.0) + duration, 6)
    if end is None and not start:
        return None, None
    return (start or 0.0) + 0.0, end  # + 0.0: of -0.0 and 0.0, the latter


def _value(row: Row, field: str, read: Callable[[str, bool], float | None]) -> float | None:
    try:
        return read(row.cells.get(field, ""), row.decimal_comma)
    except ValueError as error:
        raise row.error(field, error) from None


def _without_duplicates(table: Path, rows: Sequence[Row], clips: Sequence[Clip]) -> list[int]:
    """Indices of the rows to keep: the first of each clip, those of one file together and in order of time."""
    first: dict[tuple[object, ...], int] = {}
    files: dict[str, int] = {}
    for index, clip in enumerate(clips):
        files.setdefault(_file(clip), index)
        same = first.setdefault((_file(clip), clip.start_s, clip.end_s), index)
        if same != index:
            _require_same(rows[same], clips[same], rows[index], clip)
    if len(first) < len(rows):
        log.warning("%s: %d duplicate rows dropped", table, len(rows) - len(first))
    return sorted(first.values(), key=lambda index: (files[_file(clips[index])], clips[index].start_s or 0.0))


def _file(clip: Clip) -> str:
    # Links are not followed: a version-control cache may link equal files to one.
    return os.path.abspath(clip.path) if isinstance(clip.path, Path) else str(clip.path)  # noqa: PTH100


def _require_same(first: Row, known_clip: Clip, row: Row, clip: Clip) -> None:
    for field in fields(Clip):
        one, other = getattr(known_clip, field.name), getattr(clip, field.name)
        if str(one).casefold() != str(other).casefold():
            raise CorpusError(
                f"{row.table}: rows {first.number} and {row.number} contradict each other on {clip.path}: "
                f"{field.name} is {one!r} and {other!r}"
            )


def _named(clips: Sequence[Clip], names: Sequence[PurePosixPath]) -> list[Clip]:
    """The clips with their ids: of a part, the file's and its times."""
    of_file = {_file(clip): name for clip, name in zip(reversed(clips), reversed(names), strict=True)}
    ids = dict(zip(of_file, clip_ids("table", [*of_file.values()]), strict=True))
    of_clip = [ids[_file(clip)] if clip.span is None else f"{ids[_file(clip)]}@{clip.span}" for clip in clips]
    return [replace(clip, clip_id=name) for clip, name in zip(clips, distinct(of_clip), strict=True)]


def _log_unknown(table: Path, rows: Sequence[Row], clips: Sequence[Clip]) -> None:
    """Say which words were read as unknown, and which genders were not understood."""
    words = Counter(
        f"{row.names[field]} {text!r}"
        for row in rows
        for field, text in row.cells.items()
        if field in {"speaker", "gender", "sentence", "split"} and clean(text) and not known_name(text)
    )
    if words:
        told = ", ".join(f"{word} ({count} rows)" for word, count in words.most_common(5))
        log.warning("%s: read as unknown: %s", table, told)
    unread = [
        row
        for row, clip in zip(rows, clips, strict=True)
        if known_name(row.cells.get("gender", "")) and not clip.gender
    ]
    if unread:
        word, number_ = unread[0].cells["gender"], unread[0].number
        log.warning("%s: gender of %d rows left empty (row %d: %r)", table, len(unread), number_, word)
