"""Stage `featurize`: voice activity detection, augmented copies of training clips, and MFCC, into feature shards."""

import json
import logging
from collections import Counter
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from featurize.audio import SAMPLE_RATE, dequantise
from featurize.augment import AugmentParams
from featurize.errors import AudioError, ShardError, counted
from featurize.mfcc import VERSION as MFCC_VERSION
from featurize.mfcc import MfccParams, mfcc_40
from featurize.shards import Row, Shard
from featurize.vad import VERSION as VAD_VERSION
from featurize.vad import VadParams, find_speech, keep_segments
from featurize.vad_network import InputSpeech, SileroVad, load_vad
from pipeline.extraction.augmented import ORIGINAL, Copies
from pipeline.extraction.engine import Engine, InProcess
from pipeline.extraction.job import Make
from pipeline.extraction.run import extract, new_run
from pipeline.extraction.shard_folder import columns_of
from pipeline.extraction.shard_writer import ShardWriter
from pipeline.extraction.tasks import Fields, Output
from pipeline.extraction.waveforms import group_shards, shared_attributes, waveform_shards
from pipeline.locations import Location, listed
from pipeline.protocol.split_params import SPLITS
from pipeline.rejects import Reject

log = logging.getLogger(__name__)

NAMED = 10
"""Clips without speech that the log names."""
DECISIVE = ("load_step", "denoise_step", "vad_step", "mfcc_step")
"""Attributes that a finished row must share to be reused."""
DECISIVE_FOR_SEGMENTS = DECISIVE[:-1]
"""Attributes that a finished row must share for its speech segments to be reused."""


def featurize(
    vad_params: VadParams,
    mfcc_params: MfccParams,
    data: Location,
    reports: Path,
    max_reject_fraction: float,
    augment_params: AugmentParams | None = None,
    engine: Engine | None = None,
) -> None:
    """Compute data/features/*.h5 from the shards of the same names in data/denoised/, and list the rejects beside them.

    Raises:
        ParamsError: the noise folder of `augment` cannot be used.
        ShardError: a waveform shard is missing or damaged.
        RejectsError: more clips were rejected than allowed.
        SerError: the shards cannot be written, or the engine's workers cannot go on.
    """
    sources = waveform_shards(data)
    attributes = shared_attributes(sources)
    tier0: dict[str, Any] = {
        name: json.loads(attributes[name]) for name in ("load", "denoise") if name in attributes
    }
    tier0 |= {"vad": vad_params.model_dump(), "mfcc": mfcc_params.model_dump()}
    augment_params = augment_params or AugmentParams(copies=0)
    attributes = {
        **attributes,
        "tier0": json.dumps(tier0),
        "augment": augment_params.model_dump_json(),
        **_steps(vad_params, mfcc_params),
    }
    output = Output(
        data / "features", "mfcc", attributes, DECISIVE, new_run(), "featurized_by", DECISIVE_FOR_SEGMENTS
    )
    rejects = extract(
        "featurize",
        FeaturizeJob(vad_params, mfcc_params, Copies(augment_params), output),
        lambda: group_shards(sources),
        engine=engine or InProcess(),
        timing=reports / "timing" / "featurize.json",
        max_reject_fraction=max_reject_fraction,
    )
    _log_rows(data / "features", rejects)


def _log_rows(folder: Location, rejects: list[Reject]) -> None:
    """Log how many rows each split has, copies apart, and which clips have no speech.

    The features of a clip without speech are those of noise, whatever its label.
    """
    rows: dict[str, Counter[bool]] = {split: Counter() for split in SPLITS}
    kept = []
    for place in listed(folder, "*.h5"):
        columns = columns_of(place).columns
        names = ("clip_id", "split", "augmentation", "has_speech")
        for clip_id, split, copy, has_speech in zip(*(columns[name].tolist() for name in names), strict=True):
            rows[split][bool(copy)] += 1
            if not copy and not has_speech:
                kept.append(clip_id)
    parts = []
    for split, own in rows.items():
        copies = f" + {counted(own[True], 'augmented copy', 'augmented copies')}" if own[True] else ""
        parts.append(f"{split} {counted(own[False], 'clip')}{copies}")
    log.info("features: %s", ", ".join(parts))
    rejected = [reject.clip_id for reject in rejects if reject.reason == "no-speech"]
    for clips, what in ((kept, "kept whole, and flagged"), (rejected, "rejected")):
        if clips:
            more = f" and {len(clips) - NAMED} more" if len(clips) > NAMED else ""
            number = counted(len(clips), "clip")
            log.warning("%s without speech, %s: %s%s", number, what, ", ".join(clips[:NAMED]), more)


def _steps(vad: VadParams, mfcc: MfccParams) -> dict[str, str]:
    """The settings and code version of each step, on which the features depend."""
    return {
        "vad_step": json.dumps(vad.model_dump() | ({"version": VAD_VERSION} if vad.method != "none" else {})),
        "mfcc_step": json.dumps(mfcc.model_dump() | {"version": MFCC_VERSION}),
    }


@dataclass(frozen=True)
class FeaturizeJob:
    """Turns denoised waveforms into the MFCC of their speech, one row each."""

    vad: VadParams
    mfcc: MfccParams
    copies: Copies
    """Augmented copies of the training clips."""
    output: Output
    """Where the shards are written, and their attributes."""
    device: str = "cpu"
    cores: int | None = 1
    """The work is too small to gain from more threads."""

    def keys(self, clip: Fields) -> list[str]:
        """Of the clip's row and of those of its copies."""
        return self.copies.keys(clip)

    def load(self, threads: int | None) -> Make:
        """Load the VAD; it always runs on one thread."""
        torch.set_num_threads(1)
        vad = load_vad()
        return lambda writer: self._make(vad, writer)

    def _make(self, vad: SileroVad, writer: ShardWriter) -> None:
        """Make the rows of each clip and its copies; reject clips without speech if vad.if_no_speech is "reject"."""
        source = writer.source()
        for index, clip in writer.todo:
            samples = source.data(index)
            waveform = partial(dequantise, samples, clip["peak"])
            writer.at(index, "work")
            try:
                row = _finished(clip, len(samples), writer)
                row = row or self._original(vad, writer, clip, waveform(), _before(source, index, clip))
            except AudioError as error:
                writer.reject(index, error.of(clip["path"]))
            else:
                find = partial(writer.found.row, clip=clip)
                copies = self.copies.of(row, waveform, partial(self._row, writer), find)
                writer.keep(index, [row, *copies], len(samples) / SAMPLE_RATE)

    def _original(
        self,
        vad: SileroVad,
        writer: ShardWriter,
        clip: Fields,
        waveform: torch.Tensor,
        before: InputSpeech | None,
    ) -> Row:
        segments = writer.found.segments(clip["sha256"], clip)
        if segments is None:
            with writer.watch("vad"):
                segments = find_speech(waveform, vad, self.vad, before)
        return self._row(writer, clip | ORIGINAL, waveform, segments)

    def _row(
        self, writer: ShardWriter, fields: Fields, waveform: torch.Tensor, segments: NDArray[np.int64]
    ) -> Row:
        speech = keep_segments(waveform, segments, self.vad.if_no_speech)
        with writer.watch("mfcc"):
            mfcc = mfcc_40(speech, params=self.mfcc)  # (n_mfcc, num_frames)
        columns = {**fields, "duration_s": len(waveform) / SAMPLE_RATE, "has_speech": len(segments) > 0}
        return Row(columns, mfcc.T.numpy(), segments)


def _before(source: Shard, index: int, clip: Fields) -> InputSpeech | None:
    """What is stored of the clip's speech before the denoiser; None if the denoiser has not changed it.

    Raises:
        ShardError: the shard is from a version that did not store it.
    """
    if not clip.get("denoised"):
        return None
    if not len(probabilities := source.input_speech(index)):
        raise ShardError(
            f"{source.path}: made by an older version, without the speech of the input", "run `ser denoise`"
        )
    return InputSpeech(clip["sound_from"], probabilities)


def _finished(clip: Fields, num_samples: int, writer: ShardWriter) -> Row | None:
    if (found := writer.found.row(clip["sha256"], clip)) is None:
        return None
    has_speech = found.columns["has_speech"]
    columns = {**clip, **ORIGINAL, "duration_s": num_samples / SAMPLE_RATE, "has_speech": has_speech}
    return Row(columns, found.data, found.segments)
