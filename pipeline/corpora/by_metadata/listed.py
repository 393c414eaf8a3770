"""Corpora with metadata files: finding them and the recordings they speak of, wherever the user's root is.

A corpus says, in a function, what its files tell of each recording; `ListedCorpus` finds the recordings, counts those
that are missing or that no file tells of, and makes the clips.
"""

import csv
import io
import logging
import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path, PurePosixPath
from typing import Any, NamedTuple

from featurize.errors import CorpusError, counted
from pipeline.corpora.clip import Clip
from pipeline.corpora.corpus_contents import Corpus
from pipeline.corpora.facts import Facts
from pipeline.corpora.folder_names import composed
from pipeline.corpora.recordings import audio_files, clip_ids, refuse_pointers
from pipeline.corpora.tables.table_bytes import read_text

log = logging.getLogger(__name__)


class Told(NamedTuple):
    """What metadata tell of a recording."""

    recording: str
    """End of its path, without the ending."""
    fields: dict[str, Any]
    """Of the clip; at least speaker, gender and emotion."""


class Tree:
    """The files of a corpus.

    Args:
        root: folder of the corpus; metadata are looked for in it, and in the two folders above it.
        facts: of the corpus, for messages.

    Raises:
        CorpusError: `root` is not a folder, or holds no audio file.
    """

    def __init__(self, root: Path, facts: Facts) -> None:
        self.root, self.facts = root, facts
        self.recordings = audio_files(root, facts.title)

    def find(self, *names: str) -> Path:
        """The file of one of these names that is nearest to the root.

        Raises:
            CorpusError: there is none.
        """
        if (found := self.find_or_none(*names)) is not None:
            return found
        raise CorpusError(
            f"corpus.root: no {' or '.join(names)} in {self.root}, so the labels of {self.facts.title} are unknown; "
            f"give the folder that holds it (layout: {'; '.join(self.facts.layout)})"
        )

    def find_or_none(self, *names: str) -> Path | None:
        """As `find`, or None."""
        above = self.root.absolute().parent
        places = ((self.root, "**/"), (above, ""), (above, "*/"), (above.parent, ""))
        for folder, below in places:
            found = [path for name in names for path in folder.glob(below + name) if path.name[0] != "."]
            if found:
                return min(found, key=lambda path: (len(path.parts), path))
        return None

    def find_all(self, pattern: str) -> list[Path]:
        """Files at any depth, without those that macOS puts beside others."""
        return sorted(path for path in self.root.glob(f"**/{pattern}") if path.name[0] != ".")

    def rows(self, table: Path, separator: str = ",") -> Iterator[dict[str, str]]:
        """Rows of a table in any encoding, with cells and names of columns stripped.

        Raises:
            CorpusError: it cannot be read, or is a Git LFS pointer.
        """
        reader = csv.DictReader(io.StringIO(read_text(table), newline=""), delimiter=separator)
        for row in reader:
            yield {
                (name or "").strip(): (cell or "").strip()
                for name, cell in row.items()
                if isinstance(cell, str)
            }

    def recording(self, name: str) -> PurePosixPath | None:
        """The recording whose path ends in `name`, without the ending; the one with the fewest folders."""
        wanted = f"/{composed(name)}"
        alike = self._by_stem.get(composed(PurePosixPath(name).name), [])
        fitting = [path for path in alike if composed(f"/{path.with_suffix('')}").endswith(wanted)]
        return min(fitting, key=lambda path: (len(path.parts), path), default=None)

    @cached_property
    def _by_stem(self) -> dict[str, list[PurePosixPath]]:
        found: dict[str, list[PurePosixPath]] = {}
        for path in self.recordings:
            found.setdefault(composed(path.stem), []).append(path)
        return found


@dataclass(frozen=True)
class ListedCorpus:
    """A corpus with metadata files."""

    name: str
    """Of the reader."""
    facts: Facts
    """What its publishers state."""
    tell: Callable[[Tree], Iterable[Told]]
    """What its metadata tell of each recording, in any order."""
    form: str
    """Regular expression of a recording's name without ending, by which a corpus is recognised."""

    def match(self, text: str) -> "re.Match[str] | None":
        """Whether a path without its ending has the form of this corpus's names."""
        return re.search(f"(?:^|/)(?:{self.form})$", text)

    def read(self, root: Path) -> Corpus:
        """Read the corpus.

        Raises:
            CorpusError: the folder does not exist, its metadata are missing, damaged or of no recording in it, or its
                files are Git LFS pointers.
        """
        tree = Tree(root, self.facts)
        try:
            told = {each.recording: each for each in self.tell(tree)}
        except KeyError as error:
            raise CorpusError(
                f"corpus.root: the metadata of {self.facts.title} in {root} lack {error}"
            ) from error
        except (ValueError, TypeError, AttributeError) as error:
            # No number, no JSON, or another kind of value.
            raise CorpusError(
                f"corpus.root: the metadata of {self.facts.title} in {root} are of another form ({error}); "
                "fetch them again, or read them as a table"
            ) from error
        found = {path: told[name] for name in told if (path := tree.recording(name)) is not None}
        if not found:
            example = next(iter(told), self.facts.layout[0])
            raise CorpusError(
                f"corpus.root: {root} holds no recording of {self.facts.title} (such as {example})"
            )
        for number, what in (
            (len(told) - len(found), "in the metadata, but not in the folder"),
            (len(tree.recordings) - len(found), "in the folder, but not in the metadata, or there twice"),
        ):
            if number:
                log.warning("%s: %s %s", self.name, counted(number, "recording"), what)
        paths = sorted(found)
        refuse_pointers(root, paths)
        language = self.facts.languages[0] if len(self.facts.languages) == 1 else ""
        clips = [
            Clip(name, root / path, self.name, **{"language": language} | found[path].fields)
            for name, path in zip(clip_ids(self.name, paths), paths, strict=True)
        ]
        return Corpus(self.name, clips, self.facts.emotions, facts=self.facts)
