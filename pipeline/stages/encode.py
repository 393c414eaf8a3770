"""Stage `encode`: frames of a frozen encoder over every whole clip and its augmented copies, into encoding shards.

The voice activity detection chooses among the frames when they are read, so that none of its parameters encodes again.
"""

import json
import logging
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from featurize.atomic import write_json
from featurize.audio import SAMPLE_RATE, dequantise
from featurize.augment import AugmentParams
from featurize.encoders.encoder import EncodeParams, Encoder
from featurize.errors import AudioError
from featurize.shards import Row
from pipeline.extraction.augmented import ORIGINAL, Copies
from pipeline.extraction.engine import Engine, InProcess
from pipeline.extraction.job import Make
from pipeline.extraction.run import extract, new_run
from pipeline.extraction.shard_writer import ShardWriter
from pipeline.extraction.tasks import Fields, Output
from pipeline.extraction.waveforms import group_shards, shared_attributes, waveform_shards
from pipeline.locations import Location, make_folder
from pipeline.rejects import write_rejects

log = logging.getLogger(__name__)

DECISIVE = ("load_step", "denoise_step", "encode_step")
"""Attributes that a finished row must share to be reused."""


def encode(
    params: EncodeParams,
    data: Location,
    reports: Path,
    max_reject_fraction: float,
    augment_params: AugmentParams | None = None,
    device: str = "cpu",
    engine: Engine | None = None,
) -> None:
    """Compute data/encodings/*.h5 from the shards of the same names in data/denoised/; nothing with model "none".

    Raises:
        WeightsError: the encoder's weights cannot be had or do not fit.
        ParamsError: a layer that the encoder does not have, or the noise folder of `augment` cannot be used.
        ShardError: a waveform shard is missing or damaged.
        RejectsError: more clips were rejected than allowed.
        SerError: the shards cannot be written, or the engine's workers cannot go on.
    """
    if params.model == "none":
        make_folder(data / "encodings")
        write_rejects(data / "encodings" / "rejects.csv", [])  # DVC warns of an empty folder
        write_json(reports / "timing" / "encode.json", {})
        log.info("encode: nothing to do (encode.model: none)")
        return
    sources = waveform_shards(data)
    engine = engine or InProcess()
    device = engine.device(device)
    encoder = Encoder(params)  # before any clip is worked on: what is wrong with it is one line
    augment_params = augment_params or AugmentParams(copies=0)
    copies = min(params.copies, augment_params.copies)
    augment_params = augment_params.model_copy(update={"copies": copies})
    attributes = {
        **shared_attributes(sources),
        "augment": augment_params.model_dump_json(),
        **_attributes(params, encoder),
    }
    output = Output(data / "encodings", "encoding", attributes, DECISIVE, new_run(), "encoded_by")
    extract(
        f"encode ({encoder.files.name})",
        EncodeJob(params, Copies(augment_params), output, device),
        lambda: group_shards(sources),
        engine=engine,
        timing=reports / "timing" / "encode.json",
        max_reject_fraction=max_reject_fraction,
    )


def _attributes(params: EncodeParams, encoder: Encoder) -> dict[str, str]:
    """What the encoder is, its parameters, and the step on which the frames depend."""
    identity = {
        "name": encoder.files.name,
        "sha256": encoder.files.sha256,
        "layers": encoder.layers,
        "size": encoder.shape[1],
        "frame_pooling": params.frame_pooling,
    }
    return {
        "encoder": json.dumps(identity),
        "encode": params.model_dump_json(exclude={"copies"}),
        "encode_step": json.dumps(encoder.step),
    }


@dataclass(frozen=True)
class EncodeJob:
    """Turns denoised waveforms into frames of an encoder, one row each."""

    params: EncodeParams
    copies: Copies
    """Augmented copies of the training clips."""
    output: Output
    """Where the shards are written, and their attributes."""
    device: str = "cpu"

    @property
    def cores(self) -> int | None:
        """One clip at a time gains little from more threads, but more workers do; on a GPU each holds a copy."""
        return 1 if self.device == "cpu" else None

    def keys(self, clip: Fields) -> list[str]:
        """Of the clip's row and of those of its copies."""
        return self.copies.keys(clip)

    def load(self, threads: int | None) -> Make:
        """Load the encoder."""
        if threads:
            torch.set_num_threads(threads)
        encoder = Encoder(self.params, self.device)
        return lambda writer: self._make(encoder, writer)

    def _make(self, encoder: Encoder, writer: ShardWriter) -> None:
        """Make the rows of each clip and its copies."""
        source = writer.source()
        for index, clip in writer.todo:
            samples = source.data(index)
            waveform = partial(dequantise, samples, clip["peak"])
            writer.at(index, "work")
            make = partial(_row, writer, encoder)
            try:
                found = writer.found.row(clip["sha256"], clip)
                row = (
                    Row({**clip, **ORIGINAL, "duration_s": len(samples) / SAMPLE_RATE}, found.data)
                    if found
                    else make(clip | ORIGINAL, waveform())
                )
                copies = self.copies.of(row, waveform, make, partial(writer.found.row, clip=clip))
            except AudioError as error:
                writer.reject(index, error.of(clip["path"]))
            else:
                writer.keep(index, [row, *copies], len(samples) / SAMPLE_RATE)


def _row(
    writer: ShardWriter,
    encoder: Encoder,
    fields: Fields,
    waveform: torch.Tensor,
    segments: NDArray[np.int64] | None = None,
) -> Row:
    """One row; the segments that copies come with are left to the features."""
    with writer.watch("encode"):
        frames = encoder(waveform)
    return Row({**fields, "duration_s": len(waveform) / SAMPLE_RATE}, frames)
