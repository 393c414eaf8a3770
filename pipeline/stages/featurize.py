"""Clean waveforms in, shards of MFCC out: voice activity detection and the cepstrum."""

import json
from collections.abc import Iterator
from pathlib import Path

import torch

from featurize.audio import SAMPLE_RATE, dequantise
from featurize.errors import AudioError
from featurize.mfcc import MfccParams, mfcc_40
from featurize.shards import Row, Shard, list_shards, write_shard
from featurize.vad import VadParams, keep_segments, load_vad, speech_probabilities, speech_segments
from pipeline.progress import Advance, clip_progress
from pipeline.provenance import versions
from pipeline.rejects import Reject, check_rejects, write_rejects


def featurize(vad_params: VadParams, mfcc_params: MfccParams, data: Path, max_reject_fraction: float) -> None:
    """Turn data/denoised/*.h5 into data/features/*.h5 of the same names, and list the rejects beside them.

    Raises:
        ShardError: a waveform shard is missing or damaged.
        RejectsError: more clips were rejected than allowed.
    """
    shards = [Shard(path) for path in list_shards(data / "denoised")]
    vad = load_vad()
    torch.set_num_threads(1)  # the networks here are so small that threads only wait for each other
    folder = data / "features"
    folder.mkdir(parents=True, exist_ok=True)
    rejects: list[Reject] = []
    written: set[Path] = set()
    with clip_progress("featurize", sum(len(shard) for shard in shards)) as advance:
        for shard in shards:
            rows = list(_feature_rows(shard, vad, vad_params, mfcc_params, rejects, advance))
            if rows:
                tier0 = {"denoise": json.loads(shard.attributes["denoise"])}
                tier0 |= {"vad": vad_params.model_dump(), "mfcc": mfcc_params.model_dump()}
                attributes = {
                    **shard.attributes,
                    "tier0": json.dumps(tier0),
                    "versions": json.dumps(versions()),
                }
                write_shard(folder / shard.path.name, "mfcc", rows, attributes)
                written.add(folder / shard.path.name)
    for stale in set(folder.glob("*.h5")) - written:
        stale.unlink()
    write_rejects(folder / "rejects.csv", rejects)
    check_rejects(folder / "rejects.csv", rejects, sum(len(s) for s in shards), max_reject_fraction)


def _feature_rows(
    shard: Shard,
    vad: torch.jit.ScriptModule,
    vad_params: VadParams,
    mfcc_params: MfccParams,
    rejects: list[Reject],
    advance: Advance,
) -> Iterator[Row]:
    """Yield a feature row for each clip; append those without speech to `rejects` where params ask for it."""
    for index in range(len(shard)):
        fields = shard.fields(index)
        waveform = dequantise(shard.data(index), fields["peak"])
        duration_s = len(waveform) / SAMPLE_RATE
        segments = speech_segments(speech_probabilities(waveform, vad), len(waveform), vad_params)
        try:
            speech = keep_segments(waveform, segments, vad_params.if_no_speech)
        except AudioError as error:
            rejects.append(
                Reject(fields["clip_id"], fields["path"], error.reason, f"{fields['path']}: {error.detail}")
            )
        else:
            mfcc = mfcc_40(speech, params=mfcc_params)  # (n_mfcc, num_frames)
            columns = {**fields, "duration_s": duration_s, "has_speech": len(segments) > 0}
            yield Row(columns, mfcc.T.numpy(), segments)
        advance(duration_s)
