"""One reader per corpus, and the parameters that choose between them.

synthetic        the built-in demo corpus
description      what `ser corpora` prints
catalogue        every published corpus
  by_name          those whose file names are codes
  by_metadata      those with metadata files
table            a user's CSV file, read in the steps
  table_bytes  table_file  table_columns  table_cells  table_values  table_paths  table_readings
folder_names     file names matched regardless of case and Unicode form
clip             the metadata of a clip
corpus_contents  what a reader returns: clips, and
  facts            what the publishers of a corpus state
label_source     which emotion of a clip is its label: intended, or perceived; agreement of raters
votes            what several raters heard
recordings       finding audio files and naming clips
"""

import logging
from pathlib import Path
from typing import Annotated

from pydantic import BaseModel, Field

from featurize.audio import LoadParams
from featurize.level import Channel
from pipeline.corpora import table
from pipeline.corpora.catalogue import find_published
from pipeline.corpora.clip import Clip
from pipeline.corpora.corpus_contents import Corpus
from pipeline.corpora.facts import describe_counts
from pipeline.corpora.synthetic import demo
from pipeline.corpora.synthetic.demo import DemoParams

__all__ = ["Clip", "Corpus", "CorpusParams", "DemoParams", "read_corpus"]

log = logging.getLogger(__name__)


class CorpusParams(BaseModel, frozen=True, extra="forbid", use_attribute_docstrings=True):
    """The corpus, and how its recordings are loaded."""

    name: str = "demo"
    """demo | table | a published corpus: `ser corpora` lists them."""
    root: Path = Path("data/raw/demo")
    """Folder of the recordings; for a table, the CSV file."""
    audio_root: Path | None = None
    """Folder in which the paths of a table are looked up first."""
    max_reject_fraction: Annotated[float, Field(ge=0, le=1)] = 0.1
    """A stage fails if more than this share of its clips is rejected."""
    channel: Channel = "mix"
    """mix: the mean of all channels | left | right."""
    min_clip_s: Annotated[float, Field(ge=0)] = 0.25
    """Shorter clips are rejected, in s; the VAD drops speech below vad.min_speech_ms, 0.25 s."""
    demo: DemoParams = DemoParams()
    """The built-in, synthetic corpus."""

    @property
    def load(self) -> LoadParams:
        """The parameters of `load_audio`."""
        return LoadParams(channel=self.channel, min_clip_s=self.min_clip_s)


def read_corpus(params: CorpusParams) -> Corpus:
    """Read the corpus that `params` names.

    Raises:
        CorpusError: the corpus does not exist, or cannot be read.
    """
    if params.name == "table":
        return table.read(params.root, params.audio_root)
    if params.name == "demo":
        return demo.read(params.root)
    corpus = find_published(params.name).read(params.root)
    doubles = sum(file.why == "known duplicate" for file in corpus.left_out)
    if differing := describe_counts(corpus.facts, corpus.clips, doubles):
        log.warning("%s: %s", params.name, differing)
    return corpus
