"""Clean waveforms in, shards of MFCC out: voice activity detection, copies of training clips, the cepstrum."""

import json
from functools import partial
from pathlib import Path
from typing import Any

import torch

from featurize.audio import SAMPLE_RATE, dequantise
from featurize.augment import AugmentParams
from featurize.errors import AudioError
from featurize.mfcc import MfccParams, mfcc_40
from featurize.shards import Row, Shard, list_shards
from featurize.vad import VadParams, find_speech, keep_segments, load_vad
from pipeline.copies import ORIGINAL, Copies
from pipeline.progress import Advance, clip_progress
from pipeline.provenance import versions
from pipeline.rejects import Reject, check_rejects, write_rejects
from pipeline.reuse import ShardFolder
from pipeline.stopwatch import Stopwatch

SETTINGS_THAT_MATTER = ("denoiser", "tier0", "sample_rate")


def featurize(
    vad_params: VadParams,
    mfcc_params: MfccParams,
    data: Path,
    reports: Path,
    max_reject_fraction: float,
    augment_params: AugmentParams | None = None,
) -> None:
    """Turn data/denoised/*.h5 into data/features/*.h5 of the same names, and list the rejects beside them.

    Raises:
        ParamsError: the noise folder of `augment` cannot be used.
        ShardError: a waveform shard is missing or damaged.
        RejectsError: more clips were rejected than allowed.
        SerError: the shards cannot be written.
    """
    sources = [Shard(path) for path in list_shards(data / "denoised")]
    tier0 = {"denoise": json.loads(sources[0].attributes["denoise"])}
    tier0 |= {"vad": vad_params.model_dump(), "mfcc": mfcc_params.model_dump()}
    augment_params = augment_params or AugmentParams()
    attributes = {
        **sources[0].attributes,
        "tier0": json.dumps(tier0),
        "augment": augment_params.model_dump_json(),
        "versions": json.dumps(versions()),
    }
    shards = ShardFolder(data / "features", "mfcc", attributes, SETTINGS_THAT_MATTER)
    worker = _Worker(vad_params, mfcc_params, shards, Copies(augment_params, shards))
    with clip_progress("featurize", sum(len(source) for source in sources)) as advance:
        for number, source in enumerate(sources):
            rows = worker.rows(source, advance)
            if rows:
                with worker.watch("write"):
                    shards.write(number, rows)
    shards.finish()
    worker.copies.report()
    worker.watch.report(reports / "timing" / "featurize.json")
    write_rejects(shards.folder / "rejects.csv", worker.rejects)
    check_rejects(
        shards.folder / "rejects.csv", worker.rejects, sum(len(s) for s in sources), max_reject_fraction
    )


class _Worker:
    """Voice activity detection and MFCC of one shard after the other.

    Args:
        vad_params: which parts are speech.
        mfcc_params: what is computed of them.
        shards: where finished rows are found and kept.
        copies: augmented copies of the training clips.
    """

    def __init__(
        self, vad_params: VadParams, mfcc_params: MfccParams, shards: ShardFolder, copies: Copies
    ) -> None:
        self.vad_params, self.mfcc_params, self.shards = vad_params, mfcc_params, shards
        self.copies = copies
        self.vad = load_vad()
        self.rejects: list[Reject] = []
        self.watch = Stopwatch()
        torch.set_num_threads(1)  # the networks here are so small that threads only wait for each other

    def rows(self, source: Shard, advance: Advance) -> list[Row]:
        """A feature row for each clip and its copies; clips without speech go to `rejects` where params ask for it."""
        rows = []
        for index in range(len(source)):
            fields = source.fields(index) | ORIGINAL
            waveform = partial(dequantise, source.data(index), fields["peak"])
            try:
                row = self._finished(fields, len(source.data(index))) or self._new(fields, waveform())
                rows += [row, *self.copies.of(row, waveform, self._new)]
            except AudioError as error:
                detail = f"{fields['path']}: {error.detail}"
                self.rejects.append(Reject(fields["clip_id"], fields["path"], error.reason, detail))
            advance(len(source.data(index)) / SAMPLE_RATE)
        return rows

    def _finished(self, fields: dict[str, Any], num_samples: int) -> Row | None:
        if (found := self.shards.find(fields["sha256"])) is None:
            return None
        done, mfcc, segments = found
        columns = {**fields, "duration_s": num_samples / SAMPLE_RATE, "has_speech": done["has_speech"]}
        return Row(columns, mfcc, segments)

    def _new(self, fields: dict[str, Any], waveform: torch.Tensor) -> Row:
        with self.watch("vad"):
            segments = find_speech(waveform, self.vad, self.vad_params)
            speech = keep_segments(waveform, segments, self.vad_params.if_no_speech)
        with self.watch("mfcc"):
            mfcc = mfcc_40(speech, params=self.mfcc_params)  # (n_mfcc, num_frames)
        duration_s = len(waveform) / SAMPLE_RATE
        columns = {**fields, "duration_s": duration_s, "has_speech": len(segments) > 0}
        row = Row(columns, mfcc.T.numpy(), segments)
        with self.watch("write"):
            self.shards.save(row)
        self.watch.audio_s += duration_s
        return row
