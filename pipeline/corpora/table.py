"""Reader of a user's table, as described in the README: one row per recording, or per part of a recording.

    table_bytes    bytes → text: encodings; files that are not tables
    table_file     text → rows: separator, comments, quotes, header
    table_columns  header → fields: the documented column names and those of other tools
    table_cells    cells → values: missing values, invisible characters, numbers, times
    table_values   cells of a row → values, with errors that name the row and the column
    table_paths    paths → files

Error messages name the file, the row (the header is row 1, as in a spreadsheet) and the column.
"""

import logging
import os
from collections import Counter, defaultdict
from collections.abc import Callable, Sequence
from dataclasses import fields, replace
from pathlib import Path, PurePosixPath

from featurize.errors import CorpusError, counted
from pipeline.corpora.clip import Clip
from pipeline.corpora.corpus_contents import Corpus
from pipeline.corpora.recordings import clip_ids, distinct
from pipeline.corpora.table_cells import clean, known, known_name, number, shortest_integers
from pipeline.corpora.table_file import Row, read_rows
from pipeline.corpora.table_paths import find_audio_of
from pipeline.corpora.table_values import raters_of, span_of_row, value_of, votes_of

log = logging.getLogger(__name__)

GENDERS = dict.fromkeys(("female", "f", "woman", "w"), "female") | dict.fromkeys(("male", "m", "man"), "male")
TEXTS = ("intensity", "language", "session", "text", "intended", "perceived")
"""Fields of a clip that are taken as they are written."""
SPLIT_NAMES = dict.fromkeys(("train", "training"), "train") | dict.fromkeys(("test", "testing"), "test")
SPLIT_NAMES |= dict.fromkeys(("val", "valid", "validation", "dev", "devel", "development"), "val")


def read(table: Path, audio_root: Path | None = None) -> Corpus:
    """Read a table.

    Duplicate rows and rows without a label are skipped. A missing recording is not an error here, unless all are
    missing: it is rejected later.

    Raises:
        CorpusError: the table does not exist or has no rows, a column is missing, a value has the wrong type, no
            recording exists, or two rows of one clip contradict each other.
    """
    rows = _labelled(table, _without_comments(table, read_rows(table)))
    speakers = _speakers(table, rows)
    read_split = _split_reader(table, rows)
    clips = [_clip(row, speakers, read_split) for row in rows]
    found = find_audio_of(table, [row.cells["path"] for row in rows], audio_root)
    clips = [replace(clip, path=audio.location) for clip, audio in zip(clips, found, strict=True)]
    kept = _without_duplicates(table, rows, clips)
    clips = _named([clips[index] for index in kept], [found[index].name for index in kept])
    _log_unknown(table, [rows[index] for index in kept], clips)
    return Corpus("table", clips)


def _without_comments(table: Path, rows: list[Row]) -> list[Row]:
    comments = [row for row in rows if row.cells["path"].startswith("#") and not _is_there(row)]
    if comments:
        log.warning(
            "%s: skipped: %s with # in front (first: row %d)",
            table,
            counted(len(comments), "row"),
            comments[0].number,
        )
    return [row for row in rows if row not in comments] if comments else rows


def _is_there(row: Row) -> bool:
    try:
        return (row.table.parent / row.cells["path"]).exists()
    except (OSError, ValueError):
        return False


def _labelled(table: Path, rows: list[Row]) -> list[Row]:
    """The rows with a label; the number of the others is logged."""
    unlabelled = [row for row in rows if not known(row.cells["emotion"])]
    if unlabelled:
        first = f"first: row {unlabelled[0].number}, {unlabelled[0].cells['emotion']!r}"
        if len(unlabelled) == len(rows):
            column = unlabelled[0].names["emotion"]
            raise CorpusError(f"{table}: no row has a label in column {column} ({first})")
        log.warning(
            "%s: skipped: %d of %s, without a label (%s)",
            table,
            len(unlabelled),
            counted(len(rows), "row"),
            first,
        )
    if not rows:
        raise CorpusError(f"{table}: only comments below the header")
    return [row for row in rows if known(row.cells["emotion"])]


def _speakers(table: Path, rows: Sequence[Row]) -> dict[str, str]:
    """Cell → speaker. If all speaker ids are integers, 3, 3.0 and 03 are one speaker, named by the shortest form."""
    written = {row.cells.get("speaker", "") for row in rows}
    names = {text: known_name(text) for text in written}
    numbers = shortest_integers(names.values())
    forms: dict[str, set[str]] = defaultdict(set)
    for text, name in names.items():
        forms[numbers.get(name, name)].add(name if name in numbers else text)
    forms.pop("", None)
    merged = [
        f"{' and '.join(map(repr, sorted(each)))} as {name}" for name, each in forms.items() if len(each) > 1
    ]
    if merged:
        log.warning(
            "%s: different spellings of a speaker read as one: %s", table, "; ".join(sorted(merged)[:5])
        )
    return {text: numbers.get(name, name) for text, name in names.items()}


def _split_reader(table: Path, rows: Sequence[Row]) -> Callable[[Row], str]:
    """A function that returns a row's split; a column such as `set` is ignored if it holds other values than splits."""
    column = rows[0].names.get("split", "split")
    other = next((row for row in rows if _split_word(row) and _split_word(row) not in SPLIT_NAMES), None)
    if other is None:
        return lambda row: SPLIT_NAMES.get(_split_word(row), "")
    if clean(column).lower() == "split":
        raise other.error("split", f"unknown split {_split_word(other)!r}; use train, val or test")
    log.warning(
        "%s: column %s is not read as the split (row %d: %r)",
        table,
        column,
        other.number,
        _split_word(other),
    )
    return lambda _: ""


def _split_word(row: Row) -> str:
    return known(row.cells.get("split", "")).lower()


def _clip(row: Row, speakers: dict[str, str], read_split: Callable[[Row], str]) -> Clip:
    """The clip of a row, with an empty clip id and the path as written in the table."""
    if not row.cells["path"]:
        raise row.error("path", "empty")
    start_s, end_s = span_of_row(row)
    return Clip(
        clip_id="",
        path=Path(row.cells["path"]),
        corpus="table",
        speaker=speakers[row.cells.get("speaker", "")],
        gender=GENDERS.get(known_name(row.cells.get("gender", "")).lower(), ""),
        emotion=known(row.cells["emotion"]),
        valence=value_of(row, "valence", number),
        arousal=value_of(row, "arousal", number),
        split=read_split(row),
        sentence=known(row.cells.get("sentence", "")) or known(row.cells.get("text", "")),
        start_s=start_s,
        end_s=end_s,
        dominance=value_of(row, "dominance", number),
        age=known_name(row.cells.get("age", "")),
        raters=raters_of(row),
        votes=votes_of(row),
        agreement=value_of(row, "agreement", number),
        **{name: known(row.cells.get(name, "")) for name in TEXTS},
    )


def _without_duplicates(table: Path, rows: Sequence[Row], clips: Sequence[Clip]) -> list[int]:
    """Indices of the rows to keep, the first of each clip; clips of one file are adjacent and sorted by start."""
    first: dict[tuple[object, ...], int] = {}
    files: dict[str, int] = {}
    for index, clip in enumerate(clips):
        files.setdefault(_file(clip), index)
        same = first.setdefault((_file(clip), clip.start_s, clip.end_s), index)
        if same != index:
            _require_same(rows[same], clips[same], rows[index], clip)
    if len(first) < len(rows):
        log.warning("%s: %s dropped", table, counted(len(rows) - len(first), "duplicate row"))
    return sorted(first.values(), key=lambda index: (files[_file(clips[index])], clips[index].start_s or 0.0))


def _file(clip: Clip) -> str:
    # Links are not resolved: DVC may link identical files to one cache entry.
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
    """The clips with their ids; the id of a part is the file's, followed by start and end."""
    of_file = {_file(clip): name for clip, name in zip(reversed(clips), reversed(names), strict=True)}
    ids = dict(zip(of_file, clip_ids("table", [*of_file.values()]), strict=True))
    of_clip = [ids[_file(clip)] if clip.span is None else f"{ids[_file(clip)]}@{clip.span}" for clip in clips]
    return [replace(clip, clip_id=name) for clip, name in zip(clips, distinct(of_clip), strict=True)]


def _log_unknown(table: Path, rows: Sequence[Row], clips: Sequence[Clip]) -> None:
    """Log which values were read as unknown, and which genders are not supported."""
    words = Counter(
        f"{row.names[field]} {text!r}"
        for row in rows
        for field, text in row.cells.items()
        if field in {"speaker", "gender", "sentence", "split"} and clean(text) and not known_name(text)
    )
    if words:
        counts = ", ".join(f"{word} ({counted(count, 'row')})" for word, count in words.most_common(5))
        log.warning("%s: read as unknown: %s", table, counts)
    unread = [
        row
        for row, clip in zip(rows, clips, strict=True)
        if known_name(row.cells.get("gender", "")) and not clip.gender
    ]
    if unread:
        word, number_ = unread[0].cells["gender"], unread[0].number
        rows_ = counted(len(unread), "row")
        log.warning("%s: gender of %s left empty (row %d: %r)", table, rows_, number_, word)
