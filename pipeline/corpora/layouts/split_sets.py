"""Which of several files are the train, val and test of one fold: their names say so, in the forms that tools use.

fold_1/cafe_train_fold_1.jsonl  fold_1/cafe_test_fold_1.jsonl      EmoBox
emodb_train.csv  emodb_test.csv                                    nkululeko
train-00000-of-00002.parquet  validation-00000-of-00001.parquet    Hugging Face
train/metadata.csv  test/metadata.csv                              Hugging Face's audiofolder
"""

import re
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from pipeline.corpora.tables.table_clips import SPLIT_NAMES
from pipeline.protocol.split_params import SPLITS

_SPLIT = re.compile(rf"(?<![a-z])({'|'.join(sorted(SPLIT_NAMES, key=len, reverse=True))})(?![a-z])")
_FOLD = re.compile(r"(?<![a-z])(?:fold|split|cv|session|ses)[-_. ]?(\d+)(?!\d)")
_SHARD = re.compile(r"[-_.]\d{4,}-of-\d{4,}$")
_WORD = re.compile(r"[^\W_]+")
_GENERAL = {
    "data",
    "metadata",
    "meta",
    "split",
    "splits",
    "fold",
    "folds",
    "labels",
    "all",
    "list",
    "files",
    "csv",
    "db",
    "wav",
}


@dataclass(frozen=True)
class SplitSet:
    """The files of one fold of one corpus."""

    corpus: str
    """By the files' names, else by their folder's."""
    fold: str
    """Its number; empty where the names have none."""
    pattern: str
    """The files' name, with * for the split."""
    files: Mapping[str, tuple[Path, ...]]
    """Split → its files; under "" those whose names say no split."""

    @property
    def name(self) -> str:
        """Corpus and fold, such as "cafe, fold 1"."""
        return f"{self.corpus}, fold {self.fold}" if self.fold else self.corpus


def split_of_name(name: str) -> str:
    """train, val or test if a name says one of them, else empty: emodb_train.csv is train, train_test.csv is none."""
    said = {SPLIT_NAMES[word] for word in _SPLIT.findall(name.lower())}
    return said.pop() if len(said) == 1 else ""


def split_of(path: Path) -> str:
    """The split that a file's name says, or else the one that its folder is named."""
    return split_of_name(_SHARD.sub("", path.stem)) or SPLIT_NAMES.get(path.parent.name.lower(), "")


def group_files(files: Iterable[Path]) -> list[SplitSet]:
    """Group files into folds of corpora; the order is that of their corpora and of the numbers of their folds."""
    groups: dict[tuple[str, ...], dict[str, list[Path]]] = defaultdict(lambda: defaultdict(list))
    for path in sorted(files):
        groups[_key(path)][split_of(path)].append(path)
    sets = [
        SplitSet(
            corpus=_corpus_of(files := [path for each in of_split.values() for path in each]),
            fold=_fold_of(files[0]),
            pattern=key[1] + files[0].suffix,
            files={name: tuple(of_split[name]) for name in (*SPLITS, "") if name in of_split},
        )
        for key, of_split in groups.items()
    ]
    return sorted(sets, key=lambda each: (each.corpus, int(each.fold or 0), each.pattern))


def _key(path: Path) -> tuple[str, ...]:
    """What the files of one fold share: the folder, and the name without the split."""
    stem = _SHARD.sub("", path.stem)
    if split_of_name(stem):
        return str(path.parent), _SPLIT.sub("*", stem.lower())
    if path.parent.name.lower() in SPLIT_NAMES:
        return str(path.parent.parent), f"*/{stem}"
    return str(path.parent), stem


def _fold_of(path: Path) -> str:
    numbers = [match[1] for name in (path.stem, path.parent.name) if (match := _FOLD.search(name.lower()))]
    return str(int(numbers[0])) if numbers else ""


def _corpus_of(files: list[Path]) -> str:
    """The words of the first file's name that are neither split nor fold; else the name of the nearest such folder."""
    path = files[0].absolute()
    for name in (_SHARD.sub("", path.stem), *(folder.name for folder in path.parents)):
        rest = _SPLIT.sub(" ", _FOLD.sub(" ", name.lower()))
        words = [word for word in _WORD.findall(rest) if word not in _GENERAL]
        if words and not all(word.isdigit() for word in words):
            return "_".join(words)
    return "corpus"
