"""One reader per corpus, and the parameters that choose between them.

demo             the synthetic corpus
voices           its speakers, sentences and prosody
espeak           espeak-ng's shared library, in a process of its own
acoustics        silence, noise and vocal effort around the synthetic speech
ravdess  emodb   two corpora as they are published
table            a CSV of one's own, read by
  table_bytes  table_file  table_columns  table_cells  table_paths  table_readings
folder_names     names of files, found in another case or Unicode form
clip             what a reader says of a clip
recordings       finding audio files
"""

from pathlib import Path
from typing import Annotated, Literal

from pydantic import BaseModel, Field

from featurize.audio import LoadParams
from featurize.level import Channel
from pipeline.corpora import demo, emodb, ravdess, table
from pipeline.corpora.clip import Clip, Corpus
from pipeline.corpora.demo import DemoParams

__all__ = ["Clip", "Corpus", "CorpusParams", "DemoParams", "read_corpus"]

READERS = {"demo": demo.read, "ravdess": ravdess.read, "emodb": emodb.read}


class CorpusParams(BaseModel, frozen=True, extra="forbid", use_attribute_docstrings=True):
    """Which recordings to work on."""

    name: Literal["demo", "ravdess", "emodb", "table"] = "demo"
    """demo | ravdess | emodb | table."""
    root: Path = Path("data/raw/demo")
    """Folder of the recordings; for a table, the CSV file itself."""
    audio_root: Path | None = None
    """Folder in which the paths of a table are looked for first."""
    max_reject_fraction: Annotated[float, Field(ge=0, le=1)] = 0.1
    """A stage fails if more than this share of its clips cannot be used."""
    channel: Channel = "mix"
    """mix: the mean of all channels | left | right."""
    min_clip_s: Annotated[float, Field(ge=0)] = 0.25
    """Shorter clips are rejected, in s; the VAD drops speech below vad.min_speech_ms, 0.25 s."""
    demo: DemoParams = DemoParams()
    """The built-in, synthetic corpus."""

    @property
    def load(self) -> LoadParams:
        """How a recording is loaded."""
        return LoadParams(channel=self.channel, min_clip_s=self.min_clip_s)


def read_corpus(params: CorpusParams) -> Corpus:
    """Read the corpus that `params` names.

    Raises:
        CorpusError: it is not there, or cannot be understood.
    """
    if params.name == "table":
        return table.read(params.root, params.audio_root)
    return READERS[params.name](params.root)
