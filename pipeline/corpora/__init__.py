"""One reader per corpus, and the parameters that choose between them.

demo             the synthetic demo corpus
voices           speakers, sentences and prosody of the demo corpus
espeak           the espeak-ng library, called in a separate process
acoustics        vocal effort and background noise of the synthetic speech
by_name          published corpora whose file names are codes
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
from typing import Annotated, Literal

from pydantic import BaseModel, Field

from featurize.audio import LoadParams
from featurize.level import Channel
from pipeline.corpora import demo, table
from pipeline.corpora.by_name import emodb, ravdess
from pipeline.corpora.clip import Clip
from pipeline.corpora.corpus_contents import Corpus
from pipeline.corpora.demo import DemoParams
from pipeline.corpora.facts import describe_counts

__all__ = ["Clip", "Corpus", "CorpusParams", "DemoParams", "read_corpus"]

log = logging.getLogger(__name__)

READERS = {"demo": demo.read, "ravdess": ravdess.read, "emodb": emodb.read}


class CorpusParams(BaseModel, frozen=True, extra="forbid", use_attribute_docstrings=True):
    """The corpus, and how its recordings are loaded."""

    name: Literal["demo", "ravdess", "emodb", "table"] = "demo"
    """demo | ravdess | emodb | table."""
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
    corpus = READERS[params.name](params.root)
    if differing := describe_counts(corpus.facts, corpus.clips):
        log.warning("%s: %s", params.name, differing)
    return corpus
