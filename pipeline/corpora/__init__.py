"""One reader per corpus, and the parameters that choose between them.

synthetic        the built-in demo corpus
description      what `ser corpora` prints
catalogue        every published corpus
  by_name          those whose file names are codes
  by_metadata      those with metadata files
tables           a user's CSV file
layouts          corpora in the layouts of other tools
folder_names     file names matched regardless of case and Unicode form
clip             the metadata of a clip
corpus_contents  what a reader returns: clips, and
  facts            what the publishers of a corpus state
several          more than one corpus as one
label_source     which emotion of a clip is its label: intended, or perceived; agreement of raters
votes            what several raters heard
recordings       finding audio files and naming clips
"""

import logging
import re
from collections import Counter
from pathlib import Path
from typing import Annotated, Self

from pydantic import BaseModel, Field, model_validator

from featurize.audio import LoadParams
from featurize.errors import CorpusError
from featurize.level import Channel
from pipeline.corpora.catalogue import find_published
from pipeline.corpora.clip import Clip
from pipeline.corpora.corpus_contents import Corpus
from pipeline.corpora.facts import describe_counts
from pipeline.corpora.layouts import audformat, emobox, emotion_folders, huggingface, kaldi, nkululeko
from pipeline.corpora.several import Member, Members, join
from pipeline.corpora.synthetic import demo
from pipeline.corpora.synthetic.demo import DemoParams
from pipeline.corpora.tables import table

__all__ = ["Clip", "Corpus", "CorpusParams", "DemoParams", "read_corpus"]

log = logging.getLogger(__name__)

LAYOUTS = {
    "table": table.read,
    "audformat": audformat.read,
    "huggingface": huggingface.read,
    "nkululeko": nkululeko.read,
    "kaldi": kaldi.read,
    "emobox": emobox.read,
    "folders": emotion_folders.read,
}
"""Value of corpus.name → reader, of corpora that are known by the form of their files alone."""

SEVERAL = "several"
"""Value of corpus.name with which corpus.members names the corpora."""


class CorpusParams(BaseModel, frozen=True, extra="forbid", use_attribute_docstrings=True):
    """The corpus, and how its recordings are loaded."""

    name: str = "demo"
    """demo | `ser corpora` | several | table, folders, audformat, huggingface, ... (README)."""
    root: Path = Path("data/raw/demo")
    """Folder of the recordings; for a table, the CSV file; for several, the folder above them."""
    members: Members = Field(default_factory=list)
    """With several: names, or {name, root, audio_root, alias, labels: {emotion: emotion}}."""
    audio_root: Path | None = None
    """Folder in which the paths of a table or list are looked up first."""
    max_reject_fraction: Annotated[float, Field(ge=0, le=1)] = 0.1
    """A stage fails if more than this share of its clips is rejected."""
    channel: Channel = "mix"
    """mix: the mean of all channels | left | right."""
    min_clip_s: Annotated[float, Field(ge=0)] = 0.25
    """Shorter clips are rejected, in s; the VAD drops speech below vad.min_speech_ms, 0.25 s."""
    demo: DemoParams = DemoParams()
    """The built-in, synthetic corpus."""

    @model_validator(mode="after")
    def _several_have_members(self) -> Self:
        if (self.name == SEVERAL) != bool(self.members):
            todo = "corpus.members names them" if self.name == SEVERAL else "set corpus.name to several"
            raise ValueError(f"corpus.members and corpus.name several belong together: {todo}")
        counts = Counter(member.title for member in self.members)
        if twice := sorted(title for title, number in counts.items() if number > 1):
            raise ValueError(f"corpus.members: two are called {twice[0]}; give each an alias of its own")
        for member in self.members:
            if member.name in {SEVERAL, "demo"}:
                raise ValueError(f"corpus.members: {member.name} cannot be one of several corpora")
        return self

    @property
    def load(self) -> LoadParams:
        """The parameters of `load_audio`."""
        return LoadParams(channel=self.channel, min_clip_s=self.min_clip_s)


def read_corpus(params: CorpusParams) -> Corpus:
    """Read the corpus that `params` names.

    Raises:
        CorpusError: the corpus does not exist, or cannot be read.
    """
    if params.name == "demo":
        return demo.read(params.root)
    if params.name != SEVERAL:
        return _read(params.name, params.root, params.audio_root)
    return join([(member, _read_member(member, params.root)) for member in params.members])


def _read_member(member: Member, root: Path) -> Corpus:
    try:
        return _read(member.name, root / (member.root or member.title), member.audio_root)
    except CorpusError as error:
        why = re.sub(r"^corpus\.(root|name): ", "", str(error))
        raise CorpusError(f"corpus.members, {member.title}: {why}") from error


def _read(name: str, root: Path, audio_root: Path | None) -> Corpus:
    if name in LAYOUTS:
        return LAYOUTS[name](root, audio_root)
    corpus = find_published(name).read(root)
    doubles = sum(file.why == "known duplicate" for file in corpus.left_out)
    if differing := describe_counts(corpus.facts, corpus.clips, doubles):
        log.warning("%s: %s", name, differing)
    return corpus
