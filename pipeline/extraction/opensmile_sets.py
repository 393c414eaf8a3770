"""The functionals of openSMILE over whole clips, by an extraction job, stored in shards by the SHA-256 of the audio.

eGeMAPSv02 (Eyben et al. 2016, "The Geneva Minimalistic Acoustic Parameter Set for Voice Research and Affective
Computing") has 88 values, ComParE_2016 (Schuller et al. 2016) 6,373. As in the literature they are of the whole clip,
with its silence, so that no parameter of the voice activity detection computes them again; here of the clip behind
the denoiser.

openSMILE is by audEERING, and for non-commercial use only. It is not a part of this project.
"""

import json
import logging
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from featurize.audio import SAMPLE_RATE, dequantise
from featurize.errors import TrainingError, counted
from featurize.shards import Row, Shard, list_shards
from model.baseline.baseline_params import OPENSMILE, OpensmileSet
from pipeline.extraction.engine import Engine
from pipeline.extraction.job import Make
from pipeline.extraction.run import extract, new_run
from pipeline.extraction.shard_writer import ShardWriter
from pipeline.extraction.tasks import Fields, Output
from pipeline.extraction.waveforms import group_shards, shared_attributes, waveform_shards
from pipeline.rejects import named

log = logging.getLogger(__name__)

VERSION = "1"
"""Of what is given to openSMILE. Raise it with any change that moves a value."""
SHORTEST_SAMPLES = 1024
"""openSMILE needs 960, for one window of 60 ms; shorter clips are padded with zeros."""
_LARGEST_INT16 = 32767

Functionals = NDArray[np.float32]
"""(F,)."""


def load_set(name: OpensmileSet) -> Callable[[torch.Tensor], Functionals]:
    """Load a set: returns a function of a waveform (num_samples,) at 16 kHz, whose result depends on that clip alone.

    Raises:
        TrainingError: openSMILE is not installed.
    """
    opensmile = _import_opensmile(name)
    smile = opensmile.Smile(opensmile.FeatureSet[OPENSMILE[name]], opensmile.FeatureLevel.Functionals)

    def functionals(waveform: torch.Tensor) -> Functionals:
        # It multiplies by 32768 and cuts the digits off: a sample of 1 would become -1, and others lose half a step.
        samples = np.round(np.clip(waveform.numpy(), -1, 1) * _LARGEST_INT16) / (_LARGEST_INT16 + 1)
        padded = np.pad(samples.astype(np.float32), (0, max(0, SHORTEST_SAMPLES - len(samples))))
        values = np.asarray(smile(padded, SAMPLE_RATE), dtype=np.float32).reshape(-1)
        return np.where(
            np.isfinite(values), values, np.float32(0)
        )  # it divides by zero where there is hardly a sound

    return functionals


def _import_opensmile(name: OpensmileSet) -> Any:
    try:
        import opensmile
    except (ImportError, OSError) as error:  # OSError: its library does not load here
        raise TrainingError(
            f"baseline.view {name}: openSMILE is not installed; pip install 'ser[opensmile]' (for "
            "non-commercial use only), or choose mfcc or encoder"
        ) from error
    return opensmile


def set_step(name: OpensmileSet) -> dict[str, str]:
    """All that the values depend on, besides the waveforms.

    Raises:
        TrainingError: openSMILE is not installed.
    """
    return {"set": OPENSMILE[name], "opensmile": str(_import_opensmile(name).__version__), "version": VERSION}


def clip_functionals(name: OpensmileSet, data: Path, engine: Engine) -> dict[str, Functionals]:
    """The functionals of every clip in data/denoised/, some of which may stand in data/functionals/ already.

    Args:
        name: of the set, and of its folder there.
        data: folder of both.
        engine: runs the job.

    Returns:
        SHA-256 of the audio → values (F,).

    Raises:
        TrainingError: openSMILE is not installed.
        ShardError: a waveform shard is missing or damaged.
        SerError: the shards cannot be written, or the engine's workers cannot go on.
    """
    step = set_step(name)  # before any work
    sources = waveform_shards(data)
    attributes = {**shared_attributes(sources), "opensmile_step": json.dumps(step)}
    decisive = ("load_step", "denoise_step", "opensmile_step")
    output = Output(data / "functionals" / name, "functionals", attributes, decisive, new_run())
    job = OpensmileJob(name, output)
    rejects = extract(f"openSMILE ({OPENSMILE[name]})", job, lambda: group_shards(sources), engine=engine)
    if rejects:
        have = counted(len(rejects), "clip has", "clips have")
        log.warning("%s no functionals: %s; see %s", have, named(rejects), output.folder / "rejects.csv")
    found: dict[str, Functionals] = {}
    for path in list_shards(output.folder):
        shard = Shard(path)
        found |= {str(sha256): shard.data(row)[0] for row, sha256 in enumerate(shard.columns["sha256"])}
    return found


@dataclass(frozen=True)
class OpensmileJob:
    """Turns denoised waveforms into functionals, one row each."""

    set: OpensmileSet
    output: Output
    """Where the shards are written, and their attributes."""
    device: str = "cpu"
    cores: int | None = 1
    """openSMILE has one thread."""

    def keys(self, clip: Fields) -> list[str]:
        """Functionals are stored under the hash of their audio."""
        return [clip["sha256"]]

    def load(self, threads: int | None) -> Make:
        """Load the set."""
        if threads:
            torch.set_num_threads(1)
        functionals = load_set(self.set)
        return lambda writer: _make(functionals, writer)


def _make(functionals: Callable[[torch.Tensor], Functionals], writer: ShardWriter) -> None:
    source = writer.source()
    for index, clip in writer.todo:
        samples = source.data(index)
        found = writer.found.row(clip["sha256"], clip)
        if found is not None:
            values = found.data
        else:
            writer.at(index, "work")
            with writer.watch("openSMILE"):
                values = functionals(dequantise(samples, clip["peak"]))[None]  # (1, F)
        writer.keep(index, [Row(dict(clip), values)], len(samples) / SAMPLE_RATE)
