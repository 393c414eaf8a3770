"""Every corpus that is read by its name."""

from collections.abc import Callable
from pathlib import Path
from typing import Protocol

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
    def read(self) -> Callable[[Path], Corpus]:
        """Read it from its folder."""


PUBLISHED: dict[str, Published] = {corpus.name: corpus for corpus in CODED}
