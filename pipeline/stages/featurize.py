"""Clean waveforms in, shards of MFCC out: voice activity detection and the cepstrum."""

import json
from pathlib import Path

import torch

from featurize.audio import SAMPLE_RATE, dequantise
from featurize.errors import AudioError
from featurize.mfcc import MfccParams, mfcc_40
from featurize.shards import Row, Shard, list_shards
from featurize.vad import VadParams, keep_segments, load_vad, speech_probabilities, speech_segments
from pipeline.progress import Advance, clip_progress
from pipeline.provenance import versions
from pipeline.rejects import Reject, check_rejects, write_rejects
from pipeline.reuse import ShardFolder
from pipeline.stopwatch import Stopwatch

SETTINGS_THAT_MATTER = ("denoiser", "tier0", "sample_rate")


def featurize(
    vad_params: VadParams, mfcc_params: MfccParams, data: Path, reports: Path, max_reject_fraction: float
) -> None:
    """Turn data/denoised/*.h5 into data/features/*.h5 of the same names, and list the rejects beside them.

    Raises:
        ShardError: a waveform shard is missing or damaged.
        RejectsError: more clips were rejected than allowed.
        SerError: the shards cannot be written.
    """
    sources = [Shard(path) for path in list_shards(data / "denoised")]
    tier0 = {"denoise": json.loads(sources[0].attributes["denoise"])}
    tier0 |= {"vad": vad_params.model_dump(), "mfcc": mfcc_params.model_dump()}
    attributes = {**sources[0].attributes, "tier0": json.dumps(tier0), "versions": json.dumps(versions())}
    shards = ShardFolder(data / "features", "mfcc", attributes, SETTINGS_THAT_MATTER)
    worker = _Worker(vad_params, mfcc_params, shards)
    with clip_progress("featurize", sum(len(source) for source in sources)) as advance:
        for number, source in enumerate(sources):
            rows = worker.rows(source, advance)
            if rows:
                with worker.watch("write"):
                    shards.write(number, rows)
    shards.finish()
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
    """

    def __init__(self, vad_params: VadParams, mfcc_params: MfccParams, shards: ShardFolder) -> None:
        self.vad_params, self.mfcc_params, self.shards = vad_params, mfcc_params, shards
        self.vad = load_vad()
        self.rejects: list[Reject] = []
        self.watch = Stopwatch()
        torch.set_num_threads(1)  # the networks here are so small that threads only wait for each other

    def rows(self, source: Shard, advance: Advance) -> list[Row]:
        """A feature row for each clip; those without speech go to `rejects` where params ask for it."""
        rows = []
        for index in range(len(source)):
            fields = source.fields(index)
            duration_s = len(source.data(index)) / SAMPLE_RATE
            if (found := self.shards.find(fields["sha256"])) is not None:
                done, mfcc, segments = found
                columns = {**fields, "duration_s": duration_s, "has_speech": done["has_speech"]}
                rows.append(Row(columns, mfcc, segments))
            else:
                try:
                    rows.append(self._row(fields, dequantise(source.data(index), fields["peak"])))
                    with self.watch("write"):
                        self.shards.save(rows[-1])
                    self.watch.audio_s += duration_s
                except AudioError as error:
                    detail = f"{fields['path']}: {error.detail}"
                    self.rejects.append(Reject(fields["clip_id"], fields["path"], error.reason, detail))
            advance(duration_s)
        return rows

    def _row(self, fields: dict[str, str | float], waveform: torch.Tensor) -> Row:
        with self.watch("vad"):
            segments = speech_segments(
                speech_probabilities(waveform, self.vad), len(waveform), self.vad_params
            )
            speech = keep_segments(waveform, segments, self.vad_params.if_no_speech)
        with self.watch("mfcc"):
            mfcc = mfcc_40(speech, params=self.mfcc_params)  # (n_mfcc, num_frames)
        duration_s = len(waveform) / SAMPLE_RATE
        columns = {**fields, "duration_s": duration_s, "has_speech": len(segments) > 0}
        return Row(columns, mfcc.T.numpy(), segments)
