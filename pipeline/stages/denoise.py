"""Stage `denoise`: load and denoise every clip of the manifest into shards of 16 kHz waveforms.

Beside each denoised waveform lie the speech probabilities of its input, since a denoiser can erase speech: featurize
applies its rules to both, so its parameters can change without denoising again.

This is the expensive stage. Changing a parameter of voice activity detection or MFCC does not run it again, and a run
skips clips that an earlier run has finished.
"""

import json
import logging
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import islice, starmap
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
import torch

from featurize.audio import SAMPLE_RATE, LoadParams, SourceChannel, quantise
from featurize.audio import VERSION as LOAD_VERSION
from featurize.denoise import VERSION as DENOISE_VERSION
from featurize.denoise import DenoiseParams, Denoiser, denoise_clips, load_denoiser
from featurize.errors import AudioError, WeightsError, counted
from featurize.shards import Row
from featurize.vad_network import VERSION as VAD_NETWORK_VERSION
from featurize.vad_network import InputSpeech, SileroVad, input_speech, load_vad
from pipeline.extraction.engine import Engine, InProcess
from pipeline.extraction.grouping import group_clips
from pipeline.extraction.job import Make
from pipeline.extraction.loading import Loaded, load_ahead
from pipeline.extraction.run import extract, new_run
from pipeline.extraction.shard_folder import columns_of
from pipeline.extraction.shard_writer import ShardWriter
from pipeline.extraction.stopwatch import Stopwatch
from pipeline.extraction.tasks import Fields, Output
from pipeline.locations import Location, listed
from pipeline.protocol.manifest_file import read_clips

log = logging.getLogger(__name__)

Item = TypeVar("Item")

DECISIVE = ("load_step", "denoise_step")
"""Attributes that a finished row must share to be reused."""
ADDED_COLUMNS = ("peak", "denoised", *SourceChannel._fields, "sound_from")
"""What this stage adds to a clip's fields; the last only if there is a denoiser."""
UNCHANGED = InputSpeech(0, np.zeros(0, np.float16))
"""In place of the speech of a clip that bypasses the denoiser: the stored waveform has the same."""


def denoise(
    params: DenoiseParams,
    data: Location,
    reports: Path,
    max_reject_fraction: float,
    device: str = "cpu",
    engine: Engine | None = None,
    load: LoadParams | None = None,
) -> None:
    """Denoise every clip of data/manifest.csv into data/denoised/*.h5 and list the rejects beside them.

    Raises:
        WeightsError: the denoiser's weights are not available.
        RejectsError: more clips were rejected than allowed.
        SerError: the shards cannot be written, or the engine's workers cannot go on.
    """
    manifest = data / "manifest.csv"
    next(read_clips(manifest), None)  # a missing manifest is an error before the network is loaded
    engine, load = engine or InProcess(), load or LoadParams()
    device = engine.device(device)
    identity = _identity(params)
    attributes = {
        "denoiser": json.dumps(identity),
        "load": load.model_dump_json(),
        "denoise": params.model_dump_json(exclude={"weights"}),
        "sample_rate": str(SAMPLE_RATE),
        **_steps(params, identity["sha256"], load),
    }
    output = Output(data / "denoised", "waveform", attributes, DECISIVE, new_run(), "denoised_by")
    extract(
        f"denoise ({identity['name']})",
        DenoiseJob(params, device, identity["sha256"], output, load),
        lambda: group_clips(read_clips(manifest)),
        engine=engine,
        timing=reports / "timing" / "denoise.json",
        max_reject_fraction=max_reject_fraction,
    )
    if params.gate_snr_db is not None:
        _log_gated(data / "denoised", params.gate_snr_db)


def _steps(params: DenoiseParams, sha256: str, load: LoadParams) -> dict[str, str]:
    """The settings, weights and code version of each step, on which the waveforms depend."""
    step = params.model_dump(exclude={"weights"}) | {"sha256": sha256}
    if params.model != "none":
        step |= {"version": DENOISE_VERSION, "vad_network": VAD_NETWORK_VERSION}
    return {
        "load_step": json.dumps({"version": LOAD_VERSION, "sample_rate": SAMPLE_RATE} | load.model_dump()),
        "denoise_step": json.dumps(step),
    }


def _log_gated(folder: Location, gate_snr_db: float) -> None:
    """Log how many clips the gate has left unchanged."""
    denoised = []
    for place in listed(folder, "*.h5"):
        denoised += columns_of(place).columns["denoised"].tolist()
    unchanged = denoised.count(False)
    log.info("%d of %s not denoised (gate at %g dB)", unchanged, counted(len(denoised), "clip"), gate_snr_db)


def _identity(params: DenoiseParams) -> dict[str, Any]:
    """Name, hash of the weights and training speakers of the denoiser; each worker loads its own network."""
    denoiser = load_denoiser(params)
    return {"name": denoiser.name, "sha256": denoiser.sha256, "trained_on": denoiser.trained_on}


@dataclass(frozen=True)
class DenoiseJob:
    """Turns clips into denoised waveforms, one row each."""

    params: DenoiseParams
    device: str
    """Where the denoiser runs."""
    sha256: str
    """Of the denoiser's weights, which must be the same in every worker."""
    output: Output
    """Where the shards are written, and their attributes."""
    loading: LoadParams = field(default_factory=LoadParams)
    """Which channel of a recording, and how short a clip."""
    cores: int | None = None
    """None: all of them, since Demucs uses all."""

    def keys(self, clip: Fields) -> list[str]:
        """A waveform is stored under the hash of its audio."""
        return [clip["sha256"]]

    def load(self, threads: int | None) -> Make:
        """Load the denoiser.

        Raises:
            WeightsError: its weights are not available, or differ from those on the machine that started the stage.
        """
        if threads:
            torch.set_num_threads(threads)
        denoiser = load_denoiser(self.params, self.device)
        if denoiser.sha256 != self.sha256:
            raise WeightsError(
                f"denoise.model {self.params.model}: a worker has other weights than the main process; "
                "give every node the same file"
            )
        vad = load_vad()
        return lambda writer: _denoise_shard(denoiser, vad, self.loading, writer)


def _denoise_shard(denoiser: Denoiser, vad: SileroVad, loading: LoadParams, writer: ShardWriter) -> None:
    watch = writer.watch
    for index, clip in writer.todo:
        if (found := writer.found.row(clip["sha256"], clip)) is not None:
            columns = clip | {name: found.columns[name] for name in ADDED_COLUMNS if name in found.columns}
            row = Row(columns, found.data, input_speech=found.input_speech)
            writer.keep(index, [row], len(found.data) / SAMPLE_RATE)
    clips = dict(writer.todo)
    sources: dict[int, SourceChannel] = {}
    before: dict[int, InputSpeech] = {}

    def also(index: int, waveform: torch.Tensor, source: SourceChannel) -> None:
        sources[index] = source
        before[index] = UNCHANGED if denoiser.bypasses(waveform) else input_speech(waveform, vad)

    def usable(index: int, waveform: Loaded) -> tuple[int, torch.Tensor] | None:
        if isinstance(waveform, AudioError):
            writer.reject(index, waveform)
            return None
        writer.at(index, "work")
        return index, waveform

    loaded = _timed("decode", load_ahead(clips.items(), writer.at, loading, also), watch)
    waveforms = filter(None, starmap(usable, loaded))  # a loop would keep the last waveform in memory
    for index, waveform, changed in _timed("denoise", denoise_clips(waveforms, denoiser), watch):
        clip = clips[index]
        if not torch.isfinite(waveform).all():
            writer.reject(
                index, AudioError("non-finite", "the denoiser returned NaN or infinity", clip["path"])
            )
            continue
        samples, peak = quantise(waveform)
        columns = {**clip, "peak": peak, "denoised": changed, **sources.pop(index)._asdict()}
        sound_from, probabilities = before.pop(index)
        if denoiser.dry < 1:
            columns["sound_from"] = sound_from
        row = Row(columns, samples, input_speech=probabilities)
        writer.keep(index, [row], len(samples) / SAMPLE_RATE)


def _timed(step: str, items: Iterator[Item], watch: Stopwatch) -> Iterator[Item]:
    """Count the time spent waiting for each item as time of a step."""
    waiting: list[Item] = []  # a list, so that no reference to a yielded item stays here
    while True:
        with watch(step):
            waiting.extend(islice(items, 1))
        if not waiting:
            return
        yield waiting.pop()
