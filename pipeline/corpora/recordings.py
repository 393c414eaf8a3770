"""Finding and naming a corpus's recordings: any audio ending, any depth, never the same recording twice."""

import filecmp
from collections import Counter
from collections.abc import Iterable, Sequence
from pathlib import Path, PurePosixPath

from featurize.decoders import find_audio
from featurize.errors import CorpusError
from pipeline.corpora.clip import LeftOut


def audio_files(root: Path, corpus: str) -> list[PurePosixPath]:
    """Paths, relative to `root`, of every file in it with an audio ending, in a stable order.

    Links to folders are followed, once each.

    Raises:
        CorpusError: `root` is not a folder, or holds no audio file.
    """
    if not root.is_dir():
        what = "is a file" if root.exists() else "does not exist"
        raise CorpusError(f"corpus.root: {root} {what}; {corpus} needs the folder that holds its recordings")
    found = find_audio(root)
    if not found:
        raise CorpusError(f"corpus.root: no audio file in {root}; {corpus} needs its recordings there")
    return found


def one_per_name(
    root: Path, paths: Iterable[PurePosixPath], corpus: str
) -> tuple[list[PurePosixPath], list[LeftOut]]:
    """Keep one of each file name, the one nearest to `root`, where a name is the recording's code.

    The archives on Kaggle hold whole corpora a second time in a folder of their own.

    Returns:
        The paths to read, and the others.

    Raises:
        CorpusError: two files of one name differ.
    """
    kept: dict[str, PurePosixPath] = {}
    left_out = []
    for path in sorted(paths, key=lambda path: (len(path.parts), path)):
        first = kept.setdefault(path.stem, path)
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
        return True  # an unreadable copy is no other recording; the one that is kept is checked later


def clip_ids(corpus: str, paths: Sequence[PurePosixPath]) -> list[str]:
    """A unique name for each path: corpus and path without its ending; the ending stays where it must.

    Raises:
        CorpusError: a file's name is not text.
    """
    for path in paths:
        if any("\ud800" <= character <= "\udfff" for character in str(path)):
            raise CorpusError(f"{corpus}: the file name {str(path)!a} is not UTF-8; rename the file")
    bare = [PurePosixPath(corpus, path.parent, path.stem) for path in paths]
    shared = Counter(bare)
    return distinct(
        str(stem if shared[stem] == 1 else PurePosixPath(corpus, path))
        for path, stem in zip(paths, bare, strict=True)
    )


def distinct(names: Iterable[str]) -> list[str]:
    """The names, with ~2, ~3... behind those that come again."""
    found: dict[str, None] = {}
    for name in names:
        unique, number = name, 1
        while unique in found:
            number += 1
            unique = f"{name}~{number}"
        found[unique] = None
    return list(found)
