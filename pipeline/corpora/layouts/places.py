"""Finding where a layout begins: a root one level too high or too low is found, or the right one is named."""

import logging
from collections.abc import Callable, Sequence
from pathlib import Path

from featurize.errors import CorpusError

log = logging.getLogger(__name__)

BELOW = 3
"""Levels of folders below the root in which a layout is looked for."""
ABOVE = 6
"""Folders above a list in which its paths are looked for."""
PROBED = 20
"""Paths of a list that are looked for to find the folder that they are relative to."""


def find_places(root: Path, is_one: Callable[[Path], bool], what: str) -> list[Path]:
    """The folders that a layout may begin at: those of `nearest_places`, which have to be there.

    Args:
        root: the folder that the user gave.
        is_one: whether a folder is such a place.
        what: what is looked for, for the message.

    Raises:
        CorpusError: the root does not exist, or there is no such folder.
    """
    if not root.exists():
        raise CorpusError(f"corpus.root: {root} does not exist; {what} is needed")
    if found := nearest_places(root, is_one):
        return found
    raise CorpusError(f"corpus.root: in {root} there is no {what}")


def nearest_places(root: Path, is_one: Callable[[Path], bool]) -> list[Path]:
    """The root itself, else all such folders that are nearest below it, else one just above it, else none."""
    level = [root if root.is_dir() else root.parent]
    for _ in range(1 + BELOW):
        if found := [folder for folder in level if is_one(folder)]:
            return found
        level = [inside for folder in level for inside in _folders(folder)]
    return [folder for folder in root.absolute().parents[:2] if is_one(folder)][:1]


def find_place(root: Path, is_one: Callable[[Path], bool], what: str) -> Path:
    """The only folder of `find_places`.

    Raises:
        CorpusError: the root does not exist, or there is no such folder, or several.
    """
    found = find_places(root, is_one, what)
    if len(found) > 1:
        names = ", ".join(str(folder) for folder in found[:4]) + (", ..." if len(found) > 4 else "")
        raise CorpusError(f"corpus.root: {root} holds several of {what}; name one of {names}")
    if found[0] != root and root.is_dir():
        log.info("corpus.root: %s is read, the folder with %s", found[0], what)
    return found[0]


def _folders(folder: Path) -> list[Path]:
    try:
        return sorted(inside for inside in folder.iterdir() if inside.is_dir() and inside.name[0] != ".")
    except OSError:
        return []


def nearest_root(source: Path, texts: Sequence[str]) -> Path | None:
    """The folder of a list, or the nearest above it, in which one of its first paths exists."""
    for folder in source.absolute().parents[:ABOVE]:
        for text in texts[:PROBED]:
            try:
                if (folder / text).is_file():
                    return folder
            except (OSError, ValueError):
                continue
    return None
