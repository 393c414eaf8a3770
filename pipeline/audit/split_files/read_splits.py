"""Split files of other tools → the entries that the audit's checks take. The recordings need not exist."""

import os
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from featurize.errors import CorpusError, counted
from pipeline.audit.finding import Entry
from pipeline.corpora.clip import Clip
from pipeline.corpora.layouts.audformat import rows_of_database
from pipeline.corpora.layouts.kaldi import rows_of_folder
from pipeline.corpora.layouts.records import ENDINGS, read_records
from pipeline.corpora.layouts.speaker_codes import reader_for, speaker_reader
from pipeline.corpora.layouts.split_sets import SplitSet, group_files
from pipeline.corpora.tables.table_cells import known
from pipeline.corpora.tables.table_clips import SPLIT_NAMES, speaker_names
from pipeline.corpora.tables.table_file import Row
from pipeline.corpora.tables.table_values import span_of_row
from pipeline.span import Span

REQUIRED = ("path",)


@dataclass(frozen=True)
class ListedSplits:
    """The rows of one fold's files."""

    files: SplitSet
    entries: list[Entry]
    """Without a hash."""
    sources: list[Path]
    """The file that lists each of them."""
    speakers_from: str
    """column, --speaker, or file names; empty where there is no speaker."""


@dataclass
class Speakers:
    """The option --speaker: patterns that find the speaker in a path, for all corpora or for one."""

    of_corpus: Mapping[str, Callable[[str], str]] = field(default_factory=dict)
    """Name of a corpus, or "" → reader of the speaker."""
    matched: set[str] = field(default_factory=set)
    """Those that have matched a path."""

    def read(self, corpus: str, path: str) -> str:
        """The speaker in a path; empty where no pattern finds one."""
        key = corpus if corpus in self.of_corpus else ""
        speaker = self.of_corpus[key](path) if key in self.of_corpus else ""
        if speaker:
            self.matched.add(key)
        return speaker

    def __bool__(self) -> bool:
        return bool(self.of_corpus)


def parse_speakers(texts: Sequence[str]) -> Speakers:
    """Patterns as on the command line: PATTERN, or CORPUS=PATTERN.

    Raises:
        CorpusError: not a regular expression.
    """
    found: dict[str, Callable[[str], str]] = {}
    for text in texts:
        named = re.fullmatch(r"([\w.-]+)=(.+)", text)
        corpus, pattern = (named[1], named[2]) if named else ("", text)
        try:
            found[corpus] = speaker_reader(pattern)
        except (re.error, OverflowError, RecursionError) as error:
            raise CorpusError(f"--speaker {pattern}: not a regular expression ({error})") from error
    return Speakers(found)


def find_sets(places: Sequence[Path]) -> tuple[list[SplitSet], bool]:
    """The folds that files, or all tables in folders, make up, and whether a folder is among the places.

    Raises:
        CorpusError: a place does not exist, or a folder holds no table.
    """
    files: list[Path] = []
    for place in places:
        if place.is_dir():
            if not (inside := [*_tables(place)]):
                raise CorpusError(
                    f"{place}: no split file in it ({', '.join(ENDINGS[:5])}, db.yaml, wav.scp)"
                )
            files += inside
        elif not place.exists():
            raise CorpusError(f"{place}: does not exist")
        else:
            files.append(place)
    sets = group_files(dict.fromkeys(files))
    in_folder = any(place.is_dir() for place in places)
    return (sets, True) if in_folder else (_joined(sets), False)


def _tables(folder: Path) -> Iterator[Path]:
    for inside, folders, names in os.walk(folder):
        folders[:] = sorted(name for name in folders if name[0] != ".")
        if layout := {"db.yaml", "wav.scp"} & {*names}:  # whose other files are parts of it
            folders.clear()
            yield Path(inside) / layout.pop()
            continue
        yield from (
            Path(inside) / name for name in sorted(names) if name[0] != "." and name.lower().endswith(ENDINGS)
        )


def _joined(sets: Sequence[SplitSet]) -> list[SplitSet]:
    """Files that the user names belong together, whatever their names, where each is one split of a set."""
    single = [each for each in sets if len(each.files) == 1 and "" not in each.files]
    splits = [split for each in single for split in each.files]
    if len(single) < 2 or len(set(splits)) < len(splits):
        return list(sets)
    files = {split: paths for each in single for split, paths in each.files.items()}
    joined = SplitSet(single[0].corpus, single[0].fold, single[0].pattern, files)
    return [joined, *(each for each in sets if each not in single)]


def read_set(files: SplitSet, speakers: Speakers) -> ListedSplits:
    """Read the rows of one fold.

    Raises:
        CorpusError: a file cannot be read, or fewer than two splits are in the files.
    """
    split_of = {path: split for split, paths in files.files.items() for path in paths}
    every = [(path, row) for path in split_of for row in _rows(path)]
    names = speaker_names(every[0][0], [row for _, row in every])
    codes = reader_for(files.corpus)
    by_folder = files.pattern.startswith("*/") and not files.pattern.endswith(
        ".scp"
    )  # train/metadata.csv and test/metadata.csv may name one path
    entries, sources, origins = [], [], set()
    for source, row in every:
        split = split_of[source] or SPLIT_NAMES.get(known(row.cells.get("split", "")).lower(), "")
        if not split or not row.cells["path"]:
            continue
        path = _plain(row.cells["path"])
        speaker, origin = _speaker(path, names[row.cells.get("speaker", "")], files.corpus, speakers, codes)
        origins.add(origin)
        entries.append(
            _entry(row, f"{source.parent.name}/{path}" if by_folder else path, speaker, split, files.corpus)
        )
        sources.append(source)
    if len(there := {entry.split for entry in entries}) < 2:
        has = (
            f"only the split {there.pop()}" if there else "no split in the files' names, and no column split"
        )
        raise CorpusError(f"{files.name} ({files.pattern}): {has}; name the files of the others as well")
    return ListedSplits(files, entries, sources, " and ".join(sorted(origins - {""})))


def _rows(path: Path) -> list[Row]:
    if path.name == "db.yaml":
        return rows_of_database(path.parent, path.parent)
    if path.name == "wav.scp":
        return rows_of_folder(path.parent, "")
    return read_records(path, REQUIRED)


def _speaker(
    path: str, column: str, corpus: str, patterns: Speakers, codes: Callable[[str], str] | None
) -> tuple[str, str]:
    """The speaker of a row, and where it stands."""
    if patterns and (found := patterns.read(corpus, path)):
        return found, "--speaker"
    if column:
        return column, "column"
    found = codes(path) if codes is not None else ""
    return found, "file names" if found else ""


def _entry(row: Row, path: str, speaker: str, split: str, corpus: str) -> Entry:
    start_s, end_s = span_of_row(row)
    name = path if start_s is None and end_s is None else f"{path}@{Span(start_s or 0.0, end_s)}"
    label = known(row.cells.get("emotion", ""))
    sentence = known(row.cells.get("sentence", "")) or known(row.cells.get("text", ""))
    clip = Clip(name, Path(path), corpus, speaker, "", label, sentence=sentence, start_s=start_s, end_s=end_s)
    return Entry(clip, label, "", split)


def _plain(path: str) -> str:
    """A path with / between its parts and without ./ in front, so that one file has one path."""
    path = path.replace("\\", "/")
    while path.startswith("./"):
        path = path[2:]
    return path


def require_matches(speakers: Speakers, sets: Sequence[ListedSplits]) -> None:
    """Refuse a pattern that finds a speaker in no path.

    Raises:
        CorpusError: such a pattern.
    """
    for corpus in speakers.of_corpus:
        own = [each for each in sets if corpus in {"", each.files.corpus}]
        if not own:
            there = ", ".join(sorted({each.files.corpus for each in sets}))
            raise CorpusError(f"--speaker {corpus}=...: no such corpus; there are {there}")
        if corpus not in speakers.matched:
            entries = [entry for each in own for entry in each.entries]
            example = f"such as {entries[0].clip.path.as_posix()}"
            raise CorpusError(f"--speaker matches none of {counted(len(entries), 'path')}, {example}")
