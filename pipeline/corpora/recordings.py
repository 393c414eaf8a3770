"""Finding the audio files of a corpus at any depth and with any audio ending, and naming its clips."""

import filecmp
from collections import Counter
from collections.abc import Iterable, Sequence
from pathlib import Path, PurePosixPath

from featurize.decoders import find_audio
from featurize.errors import CorpusError
from pipeline.corpora.clip import LeftOut


def audio_files(root: Path, corpus: str) -> list[PurePosixPath]:
    """Paths, relative to `root`, of all audio files in it, in a stable order.

    Links to folders are followed; no folder is visited twice.

    Raises:
        CorpusError: `root` is not a folder, or holds no audio file.
    """
    return find_audio(root, "corpus.root", f"{corpus} needs the folder of its recordings", CorpusError)


def one_per_name(
    root: Path, paths: Iterable[PurePosixPath], corpus: str
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
