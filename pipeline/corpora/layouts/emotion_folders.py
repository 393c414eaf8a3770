"""Folders named by emotions, as in happy/a.wav or train/Freude/spk3/a.wav: the layout of half of Kaggle.

The level of folders with most words for emotions gives the label; words of several languages and abbreviations are read
as one English word. Without such a level, a single level of folders is taken as it is. Folders named as splits give the
split, folders named as persons (speaker_3, actor01) the speaker.
"""

import logging
import re
import unicodedata
from collections import Counter
from collections.abc import Sequence
from pathlib import Path, PurePosixPath

from featurize.errors import CorpusError, counted
from pipeline.corpora.corpus_contents import Corpus
from pipeline.corpora.layouts.records import rows_of
from pipeline.corpora.recordings import audio_files
from pipeline.corpora.tables.table_clips import SPLIT_NAMES, corpus_of_rows
from pipeline.protocol.emotion_words import COMMON
from pipeline.protocol.folds import some

log = logging.getLogger(__name__)

_WORDS = re.compile(r"(?<=[a-z])(?=[A-Z])|(?<=[^\W\d])(?=\d)|(?<=\d)(?=[^\W\d])|[\W_]+")
_PERSON = re.compile(
    r"(?:speaker|spkr?|act(?:or|ress)|subj(?:ect)?|participant|person|voice)[ _.-]*\w*\d\w*", re.IGNORECASE
)


def read(root: Path, audio_root: Path | None = None, name: str = "folders") -> Corpus:
    """Read recordings by the names of their folders.

    Args:
        root: the folder above those of the emotions.
        audio_root: not used: the recordings are in the root.
        name: of the reader.

    Raises:
        CorpusError: no recordings, no folders, or fewer than two emotions among their names.
    """
    root = root if root.is_dir() or not root.exists() else root.parent
    paths = audio_files(root, name)
    if all(len(path.parts) == 1 for path in paths) and emotion_of(root.name):
        log.info("corpus.root: %s is one emotion; the folder above it is read", root)
        root = root.absolute().parent
        paths = audio_files(root, name)
    level = _level(root, paths)
    records = []
    outside = 0
    for path in paths:
        folders = path.parts[:-1]
        if len(folders) <= level:
            outside += 1
            continue
        label = emotion_of(folders[level]) or folders[level]
        split = next((SPLIT_NAMES[each.lower()] for each in folders if each.lower() in SPLIT_NAMES), "")
        speaker = next((each for each in folders if _PERSON.fullmatch(each)), "")
        records.append([path.as_posix(), label, speaker, split])
    if outside:
        log.warning("%s: %s skipped: not in a folder of an emotion", root, counted(outside, "recording"))
    corpus = corpus_of_rows(root, rows_of(root, ["path", "label", "speaker", "split"], records), root, name)
    if not any(clip.speaker for clip in corpus.clips):
        log.warning("%s: no folder names a speaker (such as speaker_3)", root)
    return corpus


def _level(root: Path, paths: Sequence[PurePosixPath]) -> int:
    """The level of folders, from 0, that names the emotions."""
    depth = max(len(path.parts) - 1 for path in paths)
    if depth == 0:
        raise CorpusError(f"corpus.root: the recordings in {root} are in no folders named by emotions")
    known: Counter[int] = Counter()
    names: list[set[str]] = [set() for _ in range(depth)]
    for path in paths:
        for level, folder in enumerate(path.parts[:-1]):
            names[level].add(folder)
            known[level] += bool(emotion_of(folder))
    best = max(range(depth), key=lambda level: (known[level], -level))
    if known[best]:
        if 2 * known[best] < len(paths):
            of = counted(len(paths), "recording")
            log.warning("%s: %d of %s in folders of known emotions", root, known[best], of)
        return best
    others = [level for level in range(depth) if not _is_other(names[level])]
    if len(others) == 1 and len(names[others[0]]) > 1:
        log.warning("%s: the folders %s are taken for emotions", root, some(sorted(names[others[0]])))
        return others[0]
    raise CorpusError(f"corpus.root: no folder in {root} is named by an emotion: {some(sorted(names[0]))}")


def _is_other(names: set[str]) -> bool:
    """Whether folders are splits or persons."""
    return all(name.lower() in SPLIT_NAMES or _PERSON.fullmatch(name) for name in names)


def emotion_of(name: str) -> str:
    """The emotion that a name is, or has as one of its words, in English; else empty.

    "happy", "Freude", "05Angry" and "OAF_Pleasant_surprise" have one.
    """
    name = unicodedata.normalize("NFC", name)
    if (whole := COMMON.get(_plain(name))) is not None:
        return whole
    words = [_plain(word) for word in _WORDS.split(name) if len(word) > 2]
    found = {COMMON[word] for word in words if word in COMMON}
    return found.pop() if len(found) == 1 else ""


def _plain(word: str) -> str:
    return re.sub(r"[\W_]+", "_", word.casefold()).strip("_")
