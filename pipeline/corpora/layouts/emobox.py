"""EmoBox's lists: a JSON object a line, and train and test files in a folder for each fold, as in data/cafe/fold_1.

    {"key": "cafe-08-P-2-1", "dataset": "cafe", "wav": "downloads/cafe/.../08-P-2-1.wav", "emo": "p", ...}

The lists name no speaker; for corpora whose file names are codes it is read from the path. A corpus's folder has its
folds as a fold set, if these keep speakers apart; a fold's folder, or a corpus with a single fold, is read with its
split. Words for the classes are in label_map.json.
"""

import json
import logging
from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import cache
from pathlib import Path, PurePosixPath

from featurize.errors import CorpusError, counted
from pipeline.corpora.corpus_contents import Corpus
from pipeline.corpora.facts import Facts
from pipeline.corpora.layouts.places import find_place, nearest_root
from pipeline.corpora.layouts.records import read_records, with_cells
from pipeline.corpora.layouts.speaker_codes import reader_for
from pipeline.corpora.layouts.split_sets import SplitSet, group_files
from pipeline.corpora.tables.table_clips import corpus_of_rows, speaker_names
from pipeline.corpora.tables.table_file import Row
from pipeline.protocol.fold_sets import SPEAKER_DEPENDENT, FoldSet
from pipeline.protocol.folds import some

log = logging.getLogger(__name__)

WHAT = "EmoBox lists (*.jsonl)"


def read(root: Path, audio_root: Path | None = None) -> Corpus:
    """Read one corpus.

    Args:
        root: the corpus's folder, a fold's folder in it, or one list.
        audio_root: folder that the paths are relative to; None: the nearest above the lists that fits.

    Raises:
        CorpusError: there is no list, or one cannot be read; or as in `corpus_of_rows`.
    """
    if root.is_file():
        return _corpus(root, [_with(row, {}) for row in read_records(root)], audio_root)
    place = find_place(root, _has_lists, WHAT)
    folds = [each for each in group_files(_lists(place)) if len(each.files) > 1]
    corpora = sorted({each.corpus for each in folds})
    if len(corpora) != 1:
        found = f"of {some(corpora)}; name the folder of one" if corpora else "no train and test lists"
        raise CorpusError(f"corpus.root: {place} holds {found}")
    rows = [_rows(fold) for fold in folds]
    corpus = _corpus(place, rows[0], audio_root)
    if len(folds) == 1:
        name = f"emobox-{SPEAKER_DEPENDENT}" if _shared(rows[0]) else "emobox"
        return replace(corpus, facts=Facts(fold_sets=(FoldSet(name, "EmoBox"),)))
    clips = [replace(clip, split="") for clip in corpus.clips]  # which differs from fold to fold
    return replace(corpus, clips=clips, facts=Facts(fold_sets=_fold_sets(place, folds, rows)))


def _has_lists(folder: Path) -> bool:
    return any(each.name.endswith(".jsonl") for each in _lists(folder))


def _lists(folder: Path) -> list[Path]:
    """Lists in a folder, and in the folders of its folds."""
    return [*folder.glob("*.jsonl"), *folder.glob("fold*/*.jsonl")]


def _rows(fold: SplitSet) -> list[Row]:
    return [
        _with(row, {"split": split})
        for split, files in fold.files.items()
        if split
        for file in files
        for row in read_records(file)
    ]


def _with(row: Row, more: Mapping[str, str]) -> Row:
    """A row with more cells, and with the speaker that its path names: downloads/cafe/Peur/Fort/08-P-2-1.wav."""
    if not row.cells.get("speaker"):
        corpora = (reader for part in PurePosixPath(row.cells["path"]).parts[:3] if (reader := _reader(part)))
        more = {**more, "speaker": next((name for read in corpora if (name := read(row.cells["path"]))), "")}
    return with_cells(row, more)


_reader = cache(reader_for)


def _corpus(place: Path, rows: list[Row], audio_root: Path | None) -> Corpus:
    words = _words(place if place.is_dir() else place.parent)
    rows = [
        with_cells(row, {"emotion": words.get(row.cells["emotion"], row.cells["emotion"])}) for row in rows
    ]
    root = audio_root or nearest_root(rows[0].table, [row.cells["path"] for row in rows])
    return corpus_of_rows(rows[0].table, rows, root, "emobox")


def _words(folder: Path) -> dict[str, str]:
    """Class as the lists have it → word."""
    for file in (folder / "label_map.json", folder.parent / "label_map.json"):
        try:
            found = json.loads(file.read_text(encoding="utf-8"))
        except (OSError, ValueError):
            continue
        if isinstance(found, dict):
            return {str(code): word for code, word in found.items() if isinstance(word, str)}
    return {}


def _shared(rows: Sequence[Row]) -> set[str]:
    """Speakers who are tested on and trained on, and "" if any are not known."""
    tested, trained = (
        {row.cells.get("speaker", "") for row in rows if (row.cells["split"] == "test") is is_test}
        for is_test in (True, False)
    )
    return (tested & trained) | ({""} & (tested | trained))


def _fold_sets(place: Path, folds: Sequence[SplitSet], rows: Sequence[Sequence[Row]]) -> tuple[FoldSet, ...]:
    dependent = [fold.fold for fold, own in zip(folds, rows, strict=True) if _shared(own)]
    if dependent:
        log.warning(
            "%s: of EmoBox's %s, %d share speakers, or do not name them (%s): not offered; name one's folder",
            *(place, counted(len(folds), "fold"), len(dependent), some(dependent)),
        )
        return ()
    names = speaker_names(place, rows[0])
    tests = (
        sorted({names[row.cells["speaker"]] for row in own if row.cells["split"] == "test"}) for own in rows
    )
    return (FoldSet("emobox", "EmoBox", tuple(tuple(test) for test in tests)),)
