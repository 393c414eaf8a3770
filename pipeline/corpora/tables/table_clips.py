"""Rows of tables → the clips of a corpus: labels, speakers, splits, files, duplicates and names."""

import logging
import os
from collections import Counter, defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import fields, replace
from pathlib import Path, PurePosixPath

from featurize.errors import CorpusError, counted
from pipeline.corpora.clip import Clip
from pipeline.corpora.corpus_contents import Corpus
from pipeline.corpora.recordings import clip_ids, distinct
from pipeline.corpora.tables.table_cells import clean, known, known_name, number, shortest_integers
from pipeline.corpora.tables.table_file import Row
from pipeline.corpora.tables.table_paths import find_audio_of
from pipeline.corpora.tables.table_values import raters_of, span_of_row, value_of, votes_of
from pipeline.locations import Location

log = logging.getLogger(__name__)

GENDERS = dict.fromkeys(("female", "f", "woman", "w"), "female") | dict.fromkeys(("male", "m", "man"), "male")
TEXTS = ("intensity", "language", "session", "text", "intended", "perceived")
"""Fields of a clip that are taken as they are written."""
SPLIT_NAMES = dict.fromkeys(("train", "training"), "train") | dict.fromkeys(("test", "testing"), "test")
SPLIT_NAMES |= dict.fromkeys(("val", "valid", "validation", "dev", "devel", "development"), "val")


def corpus_of_rows(
    source: Path, rows: list[Row], audio_root: Path | None = None, name: str = "table"
) -> Corpus:
    """The corpus of a table's rows.

    Duplicate rows and rows without a label are skipped. A missing recording is not an error here, unless all are
    missing: it is rejected later.

    Args:
        source: the table, or the folder of several, for messages; relative paths are looked up beside it.
        rows: of one or several tables.
        audio_root: folder in which paths are looked up first.
        name: of the reader; clip ids begin with it.

    Raises:
        CorpusError: a value has the wrong type, no row has a label, no recording exists, or two rows of one clip
            contradict each other.
    """
    rows = _labelled(source, rows)
    speakers = speaker_names(source, rows)
    read_split = _split_reader(source, rows)
    if empty := next((row for row in rows if not row.cells["path"]), None):
        raise empty.error("path", "empty")
    found = find_audio_of(source, [row.cells["path"] for row in rows], audio_root)
    clips = [
        _clip(row, speakers, read_split, name, audio.location) for row, audio in zip(rows, found, strict=True)
    ]
    files = [_file(clip) for clip in clips]
    kept = _without_duplicates(source, rows, clips, files)
    names = {files[index]: found[index].name for index in reversed(kept)}
    clips = _named([clips[index] for index in kept], [files[index] for index in kept], names, name)
    _log_unknown(source, [rows[index] for index in kept], clips)
    return Corpus(name, clips)


def _labelled(table: Path, rows: list[Row]) -> list[Row]:
    """The rows with a label, or with votes for some; the number of the others is logged."""
    unlabelled = [row for row in rows if not _is_rated(row)]
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
    return [row for row in rows if _is_rated(row)]


def _is_rated(row: Row) -> bool:
    return bool(known(row.cells["emotion"]) or known(row.cells.get("votes", "")))


def speaker_names(table: Path, rows: Sequence[Row]) -> dict[str, str]:
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


def _clip(
    row: Row, speakers: dict[str, str], read_split: Callable[[Row], str], corpus: str, path: Location
) -> Clip:
    """The clip of a row, with an empty clip id."""
    start_s, end_s = span_of_row(row)
    return Clip(
        clip_id="",
        path=path,
        corpus=corpus,
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


def _without_duplicates(
    table: Path, rows: Sequence[Row], clips: Sequence[Clip], of_clip: Sequence[str]
) -> list[int]:
    """Indices of the rows to keep, the first of each clip; clips of one file are adjacent and sorted by start."""
    first: dict[tuple[object, ...], int] = {}
    files: dict[str, int] = {}
    for index, (clip, file) in enumerate(zip(clips, of_clip, strict=True)):
        files.setdefault(file, index)
        same = first.setdefault((file, clip.start_s, clip.end_s), index)
        if same != index:
            _require_same(rows[same], clips[same], rows[index], clip)
    if len(first) < len(rows):
        log.warning("%s: %s dropped", table, counted(len(rows) - len(first), "duplicate row"))
    return sorted(first.values(), key=lambda index: (files[of_clip[index]], clips[index].start_s or 0.0))


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


def _named(
    clips: Sequence[Clip], files: Sequence[str], names: Mapping[str, PurePosixPath], corpus: str
) -> list[Clip]:
    """The clips with their ids, made from the names of their files; start and end follow where a clip is a part."""
    ids = dict(zip(names, clip_ids(corpus, [*names.values()]), strict=True))
    spans = ((ids[file], clip.span) for clip, file in zip(clips, files, strict=True))
    unique = distinct(name if span is None else f"{name}@{span}" for name, span in spans)
    return [replace(clip, clip_id=name) for clip, name in zip(clips, unique, strict=True)]


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
