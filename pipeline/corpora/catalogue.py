"""Every corpus that is read by its name."""

import difflib
from collections.abc import Callable
from pathlib import Path
from typing import Protocol

from featurize.errors import CorpusError
from pipeline.corpora.by_metadata import LISTED
from pipeline.corpora.by_name import CODED
from pipeline.corpora.corpus_contents import Corpus
from pipeline.corpora.facts import Facts


class Published(Protocol):
    """A published corpus: what is known of it, and its reader."""

    @property
    def name(self) -> str:
        """Value of corpus.name."""

    @property
    def facts(self) -> Facts:
        """What its publishers state."""

    @property
    def match(self) -> Callable[[str], object]:
        """Whether a path without its ending has the form of this corpus's names; None: it has not."""

    @property
    def read(self) -> Callable[[Path], Corpus]:
        """Read it from its folder."""


PUBLISHED: dict[str, Published] = {corpus.name: corpus for corpus in (*CODED, *LISTED)}


def find_published(name: str) -> Published:
    """The published corpus of this name.

    Raises:
        CorpusError: there is none.
    """
    if name in PUBLISHED:
        return PUBLISHED[name]
    near = difflib.get_close_matches(name.lower(), PUBLISHED, n=1, cutoff=0.5)
    hint = f"is {near[0]!r} meant? " if near else ""
    raise CorpusError(f"corpus.name: no corpus {name!r}; {hint}`ser corpora` lists them")
