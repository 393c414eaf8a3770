"""Finding the audio files of a corpus at any depth and with any audio ending, and naming its clips."""

import filecmp
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from itertools import islice
from pathlib import Path, PurePosixPath
from typing import NoReturn

from featurize.containers.readable import LFS_POINTER
from featurize.decoders import find_audio, walk_audio
from featurize.errors import CorpusError
from pipeline.corpora.clip import LeftOut

MOST_LOOKED_AT = 1000
"""Files of a neighbouring folder that are compared with the names of a corpus."""


def audio_files(root: Path, corpus: str) -> list[PurePosixPath]:
    """Paths, relative to `root`, of all audio files in it, in a stable order.

    Links to folders are followed; no folder is visited twice.

    Raises:
        CorpusError: `root` is not a folder, or holds no audio file.
    """
    return find_audio(root, "corpus.root", f"{corpus} needs the folder of its recordings", CorpusError)


def fail_to_find(root: Path, corpus: str, example: str, is_one: Callable[[str], object]) -> NoReturn:
    """Raise the error for a folder without a recording of a corpus, and name the folder above it if that has one.

    Args:
        root: the folder.
        corpus: title.
        example: path of a typical recording.
        is_one: whether a path without its ending is a recording of the corpus.
    """
    found = next(
        (
            folder
            for folder in _neighbours(root.absolute())
            for path in islice(walk_audio(folder), MOST_LOOKED_AT)
            if is_one(f"{folder.as_posix()}/{path.with_suffix('')}")
        ),
        None,
    )
    hint = f"; set it to {found}" if found else ""
    raise CorpusError(f"corpus.root: no {corpus} recording (such as {example}) in {root}{hint}")


def _neighbours(folder: Path) -> list[Path]:
    """The other folders beside a folder."""
    try:
        return sorted(other for other in folder.parent.iterdir() if other.is_dir() and other != folder)
    except OSError:
        return []


def refuse_pointers(root: Path, paths: Sequence[PurePosixPath]) -> None:
    """Refuse a corpus of which only Git LFS pointers were fetched.

    Raises:
        CorpusError: the first, the middle and the last file are pointers.
    """
    chosen = [root / paths[index] for index in {0, len(paths) // 2, len(paths) - 1}]
    if all(is_pointer(path) for path in chosen):
        raise CorpusError(
            f"corpus.root: the recordings in {root} are Git LFS pointers, without audio; fetch them with `git lfs pull`"
        )


def is_pointer(path: Path) -> bool:
    """Whether a file is a Git LFS pointer."""
    try:
        with path.open("rb") as file:
            return file.read(len(LFS_POINTER)) == LFS_POINTER
    except OSError:
        return False  # its clip is rejected later


def one_per_name(
    root: Path,
    paths: Iterable[PurePosixPath],
    corpus: str,
    name_of: Callable[[PurePosixPath], str] = lambda path: path.stem,
) -> tuple[list[PurePosixPath], list[LeftOut]]:
    """Keep one file of each name, the one with the fewest parent folders; for corpora whose names are codes.

    Archives on Kaggle contain the whole corpus a second time in a subfolder.

    Returns:
        The paths to read, and the duplicates.

    Raises:
        CorpusError: two files of one name have different bytes.
    """
    kept: dict[str, PurePosixPath] = {}
    left_out = []
    for path in sorted(paths, key=lambda path: (len(path.parts), path)):
        first = kept.setdefault(name_of(path), path)
        if first is path:
            continue
        if not _same_bytes(root / first, root / path):
            raise CorpusError(
                f"two different files are named {path.stem}: {root / first} and {root / path}; remove one"
            )
        left_out.append(LeftOut(f"{corpus}/{path}", f"{corpus}/{first}", "same name and bytes"))
    return sorted(kept.values()), left_out


def _same_bytes(one: Path, other: Path) -> bool:
    try:
        return filecmp.cmp(one, other, shallow=False)
    except OSError:
        return True  # the kept file is checked later; an unreadable duplicate changes nothing


def clip_ids(corpus: str, paths: Sequence[PurePosixPath]) -> list[str]:
    """A unique clip id for each path: corpus and path, without the ending unless two paths differ only in it.

    Raises:
        CorpusError: a file name is not UTF-8.
    """
    for path in paths:
        if any("\ud800" <= character <= "\udfff" for character in str(path)):
            raise CorpusError(f"{corpus}: the file name {str(path)!a} is not UTF-8; rename the file")
    stems = [PurePosixPath(corpus, path.parent, path.stem) for path in paths]
    counts = Counter(stems)
    return distinct(
        str(stem if counts[stem] == 1 else PurePosixPath(corpus, path))
        for path, stem in zip(paths, stems, strict=True)
    )


def distinct(names: Iterable[str]) -> list[str]:
    """The names, with ~2, ~3... appended to repeated ones."""
    found: dict[str, None] = {}
    for name in names:
        unique, number = name, 1
        while unique in found:
            number += 1
            unique = f"{name}~{number}"
        found[unique] = None
    return list(found)
