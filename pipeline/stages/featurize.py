"""Clean waveforms in, shards of MFCC out: voice activity detection, copies of training clips, the cepstrum."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from featurize.audio import SAMPLE_RATE, dequantise
from featurize.augment import AugmentParams
from featurize.errors import AudioError, ShardError
from featurize.mfcc import MfccParams, mfcc_40
from featurize.shards import Row
from featurize.vad import VadParams, find_speech, keep_segments, load_vad
from featurize.vad_network import SileroVad
from pipeline.extraction.augmented import ORIGINAL, Copies
from pipeline.extraction.engine import Engine, InProcess
from pipeline.extraction.run import extract, new_run
from pipeline.extraction.shard_folder import Group, columns_of
from pipeline.extraction.shard_writer import Assembly, Make
from pipeline.extraction.tasks import Fields, Output
from pipeline.locations import Location, listed
from pipeline.protocol.provenance import versions

SETTINGS_THAT_MATTER = ("denoiser", "tier0", "sample_rate")


def featurize(
    vad_params: VadParams,
    mfcc_params: MfccParams,
    data: Location,
    reports: Path,
    max_reject_fraction: float,
    augment_params: AugmentParams | None = None,
    engine: Engine | None = None,
) -> None:
    """Turn data/denoised/*.h5 into data/features/*.h5 of the same names, and list the rejects beside them.

    Raises:
        ParamsError: the noise folder of `augment` cannot be used.
        ShardError: a waveform shard is missing or damaged.
        RejectsError: more clips were rejected than allowed.
        SerError: the shards cannot be written, or the engine's workers cannot go on.
    """
    sources = listed(data / "denoised", "*.h5")
    if not sources:
        raise ShardError(f"{data / 'denoised'}: no shards; run the stage that writes them")
    attributes = columns_of(sources[0]).attributes
    tier0 = {"denoise": json.loads(attributes["denoise"])}
    tier0 |= {"vad": vad_params.model_dump(), "mfcc": mfcc_params.model_dump()}
    augment_params = augment_params or AugmentParams(copies=0)
    attributes = {
        **attributes,
        "tier0": json.dumps(tier0),
        "augment": augment_params.model_dump_json(),
        "versions": json.dumps(versions()),
    }
    output = Output(data / "features", "mfcc", attributes, SETTINGS_THAT_MATTER, new_run())
    extract(
        "featurize",
        FeaturizeJob(vad_params, mfcc_params, Copies(augment_params), output),
        lambda: groups(sources),
        engine or InProcess(),
        timing=reports / "timing" / "featurize.json",
        max_reject_fraction=max_reject_fraction,
    )


def groups(sources: list[Location]) -> Iterator[Group]:
    """One group for each waveform shard."""
    for source in sources:
        columns = columns_of(source).columns
        clips = [
            dict(zip(columns, row, strict=True))
            for row in zip(*(values.tolist() for values in columns.values()), strict=True)
        ]
        yield Group(int(source.name.removeprefix("part-").removesuffix(".h5")), clips, source)


@dataclass(frozen=True)
class FeaturizeJob:
    """Clean waveforms to the MFCC of their speech, one row each.

    Attributes:
        vad: which parts are speech.
        mfcc: what is computed of them.
        copies: augmented ones of the training clips.
        output: where the shards go.
    """

    vad: VadParams
    mfcc: MfccParams
    copies: Copies
    output: Output
    device: str = "cpu"
    cores: int | None = 1  # the networks here are so small that threads would only wait for each other

    def keys(self, clip: Fields) -> list[str]:
        """Features are found by their audio's hash, copies by their recipe's."""
        return [clip["sha256"], *self.copies.keys(clip)]

    def load(self, threads: int | None) -> Make:
        """Load the VAD; it runs on one thread, whatever is asked for."""
        torch.set_num_threads(1)
        vad = load_vad()
        return lambda assembly: self._make(vad, assembly)

    def _make(self, vad: SileroVad, assembly: Assembly) -> None:
        """Feature rows for each clip and its copies; a clip without speech is refused where params ask for it."""
        source = assembly.source()
        for index, clip in assembly.todo:
            samples = source.data(index)
            waveform = partial(dequantise, samples, clip["peak"])
            fields = clip | ORIGINAL
            assembly.at(index, "work")
            try:
                row = _finished(fields, len(samples), assembly)
                row = row or self._original(vad, assembly, fields, waveform())
            except AudioError as error:
                assembly.refuse(index, AudioError(error.reason, f"{clip['path']}: {error.detail}"))
            else:
                copies = self.copies.of(row, waveform, partial(self._row, assembly), assembly.find)
                assembly.keep(index, [row, *copies], len(samples) / SAMPLE_RATE)

    def _original(self, vad: SileroVad, assembly: Assembly, fields: Fields, waveform: torch.Tensor) -> Row:
        with assembly.watch("vad"):
            segments = find_speech(waveform, vad, self.vad)
        return self._row(assembly, fields, waveform, segments)

    def _row(
        self, assembly: Assembly, fields: Fields, waveform: torch.Tensor, segments: NDArray[np.int64]
    ) -> Row:
        speech = keep_segments(waveform, segments, self.vad.if_no_speech)
        with assembly.watch("mfcc"):
            mfcc = mfcc_40(speech, params=self.mfcc)  # (n_mfcc, num_frames)
        columns = {**fields, "duration_s": len(waveform) / SAMPLE_RATE, "has_speech": len(segments) > 0}
        return Row(columns, mfcc.T.numpy(), segments)


def _finished(fields: Fields, num_samples: int, assembly: Assembly) -> Row | None:
    if (found := assembly.find(fields["sha256"])) is None:
        return None
    done, mfcc, segments = found
    columns = {**fields, "duration_s": num_samples / SAMPLE_RATE, "has_speech": done["has_speech"]}
    return Row(columns, mfcc, segments)
