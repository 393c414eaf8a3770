"""Finding the audio that a user's table names, as it was written on another system, by another tool, in another folder.

A path is first taken as it is. Where nothing is there, it is read as its kind of writing is meant; then looked for
under another case, Unicode form, or with an ending; then, if its folders are of another machine, by its last parts.
What fits two files is not guessed.
"""

import logging
import os
import re
from collections import Counter, defaultdict
from collections.abc import Sequence, Set
from functools import cache
from pathlib import Path, PurePosixPath
from typing import NamedTuple

from featurize.errors import CorpusError
from pipeline.corpora.folder_names import composed, list_folder
from pipeline.corpora.table_readings import Kinds, from_address, name_of, readings
from pipeline.locations import PROTOCOL, Location, locate

log = logging.getLogger(__name__)


class Found(NamedTuple):
    """Where a clip's audio lies."""

    place: Location
    name: PurePosixPath
    """What to call the clip after."""


def find_audio_of(table: Path, texts: Sequence[str], audio_root: Path | None) -> list[Found]:
    """Find the file of every path of a table; one that is not there stays as it is, to be rejected later.

    Args:
        table: relative paths are looked for beside it, and from the project's root.
        texts: the paths as they are written.
        audio_root: where they are looked for first, if given; its folders are searched, too.

    Raises:
        CorpusError: `audio_root` is no folder, or not one file is there: the line names the likely cause.
    """
    if audio_root is not None and not audio_root.is_dir():
        raise CorpusError(f"corpus.audio_root: {audio_root} is not a folder")
    finder = _Finder(table, audio_root)
    found = {text: finder.as_written(text) for text in texts}
    taken = {match[0] for match in found.values() if match}
    found |= finder.elsewhere([text for text, match in found.items() if match is None], taken)
    if texts and not any(found.values()):
        raise CorpusError(f"{table}: none of its {len(found)} paths is there; {finder.cause(texts[0])}")
    for kind, count in Counter(kind for match in found.values() if match for kind in match[1]).items():
        log.warning("%s: %d paths found %s", table, count, kind)
    matches = [found[text] or (finder.bases[0] / from_address(text), ()) for text in texts]
    return [
        Found(place, name_of(text, as_is=not kinds))
        for (place, kinds), text in zip(matches, texts, strict=True)
    ]


Match = tuple[Location, Kinds]


class _Finder:
    def __init__(self, table: Path, audio_root: Path | None) -> None:
        self.table, self.audio_root = table, audio_root
        self.bases = [*([audio_root] if audio_root else []), table.parent, Path()]
        self._listing = cache(list_folder)
        self._root: dict[str, list[Path]] | None = None

    def as_written(self, text: str) -> Match | None:
        """What a path means by itself."""
        if PROTOCOL.match(text) and not isinstance(address := locate(text), Path):
            return address, ()
        for reading, kinds in readings(text):
            for base in self.bases:
                if _exists(base / reading):
                    return base / reading, kinds
        for reading, kinds in readings(text):
            for base in self.bases:
                if (match := self._alike(base / reading)) is not None:
                    return match[0], (*kinds, *match[1])
        return None

    def elsewhere(self, texts: Sequence[str], taken: Set[Location]) -> dict[str, Match | None]:
        """Paths of another machine, by their last parts; none to a file that another path of the table means, too."""
        matches = {text: self._by_last_parts(text) for text in texts}
        claims = Counter(match[0] for match in matches.values() if match)
        return {
            text: match if match and claims[match[0]] == 1 and match[0] not in taken else None
            for text, match in matches.items()
        }

    def _by_last_parts(self, text: str) -> Match | None:
        *_, (reading, _) = readings(text)
        parts = [part for part in PurePosixPath(reading).parts if part.strip("/.")]
        foreign = reading.startswith("/") or re.match(r"[A-Za-z]:|[$%~]", reading) is not None
        kind = "by their last parts, since their folders are not there"
        for first in range(len(parts)):
            for base in self.bases:
                if base is not self.audio_root and not (foreign and len(parts) - first > 1):
                    continue
                tail = base.joinpath(*parts[first:])
                match = (tail, ()) if _exists(tail) else self._alike(tail)
                if match is not None and match[0].is_file():
                    return match[0], (kind, *match[1])
        inside = self._in_root().get(composed(parts[-1]), []) if parts else []
        return (inside[0], ("by their names in folders of corpus.audio_root",)) if len(inside) == 1 else None

    def _in_root(self) -> dict[str, list[Path]]:
        """Every file of `audio_root`, by its name."""
        if self._root is None:
            self._root = defaultdict(list)
            for folder, _, files in os.walk(self.audio_root) if self.audio_root is not None else ():
                for file in files:
                    self._root[composed(file)].append(Path(folder) / file)
        return self._root

    def _alike(self, path: Path) -> tuple[Path, Kinds] | None:
        """The one file whose path differs only in case, Unicode form, or by an ending that the path lacks."""
        here, parts = (Path(path.anchor), path.parts[1:]) if path.anchor else (Path(), path.parts)
        kinds: dict[str, None] = {}
        for number, part in enumerate(parts, start=1):
            if part == ".." or _exists(here / part):
                here = here / part
            elif (match := self._listing(here).like(part, last=number == len(parts))) is not None:
                here = here / match[0]
                kinds[match[1]] = None
            else:
                return None
        return (here, tuple(kinds)) if kinds else None

    def cause(self, text: str) -> str:
        """Why a path is probably not there, and what to do."""
        *_, (reading, _) = readings(text)
        tried = self.bases[0] / text
        root = "set corpus.audio_root to the folder that holds the audio"
        if self.audio_root is not None:
            root = (
                f"look whether corpus.audio_root ({self.audio_root}) is the folder that they are relative to"
            )
        if variable := re.search(r"\$\{?\w+\}?|%\w+%", reading):
            why = f"{variable[0]} is not set; set it, or {root}"
        elif text.startswith("~"):
            why = f"~ is {Path(reading).parent if reading.startswith('~') else os.path.expanduser('~')} here; {root}"  # noqa: PTH111
        elif "\\" in text or re.match(r"[A-Za-z]:", text):
            why = f"they are paths of a Windows machine; {root}"
        elif (near := self._listing(tried.parent).near(tried.name)) is not None:
            why = f"{tried.parent} holds {near}"
        elif reading.startswith("/"):
            why = f"they are paths of another machine, or a disk is not mounted; {root}"
        elif "/" not in reading:
            why = f"they are names without a folder; {root}"
        else:
            why = f"paths are relative to the table's folder or the project's root; {root}"
        return f"the first that was tried is {tried}: {why}"


def _exists(path: Path) -> bool:
    try:
        return path.exists()
    except (OSError, ValueError):  # a name that is too long, a folder that may not be entered, a zero byte
        return False
