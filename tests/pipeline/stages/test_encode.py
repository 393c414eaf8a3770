"""Stage encode: rows are the encoder's frames of whole clips, made once, whatever the VAD does."""

import json
import logging
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from featurize.audio import dequantise
from featurize.augment import AugmentParams
from featurize.encoders.encoder import EncodeParams, Encoder
from featurize.errors import ParamsError, ShardError, WeightsError
from featurize.shards import Shard, list_shards
from pipeline.extraction.engine import InProcess
from pipeline.extraction.workers import LocalEngine
from pipeline.stages.encode import encode
from tests.featurize.encoders.toy_encoders import save_toy


@pytest.fixture(scope="module")
def toy(tmp_path_factory: pytest.TempPathFactory) -> str:
    return str(save_toy(tmp_path_factory.mktemp("toy"), "whisper"))


@pytest.fixture
def data(small_run: Any, tmp_path: Path) -> Path:
    """A data folder with the small run's waveforms."""
    folder = tmp_path / "data"
    folder.mkdir()
    (folder / "denoised").symlink_to(small_run.data / "denoised")
    return folder


def run(params: EncodeParams, data: Path, **options: Any) -> dict[str, Any]:
    """Frames by clip_id."""
    encode(params, data, data / "reports", 0.0, **options)
    shards = [Shard(path) for path in list_shards(data / "encodings")]
    return {
        shard.columns["clip_id"][row]: np.array(shard.data(row))
        for shard in shards
        for row in range(len(shard))
    }


@pytest.fixture
def calls(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Lengths of the waveforms that are encoded in this process."""
    lengths: list[int] = []
    real = Encoder.__call__

    def counted(encoder: Encoder, waveform: Any) -> Any:
        lengths.append(len(waveform))
        return real(encoder, waveform)

    monkeypatch.setattr(Encoder, "__call__", counted)
    return lengths


def test_rows_are_the_frames_of_whole_clips(data: Path, toy: str) -> None:
    params = EncodeParams(model=toy, layers=(1, 2))
    rows, encoder = run(params, data), Encoder(params)
    source = Shard(list_shards(data / "denoised")[0])
    assert len(rows) == len(source) == 20
    for row in range(0, len(source), 7):
        fields = source.fields(row)
        expected = encoder(dequantise(source.data(row), fields["peak"]))
        np.testing.assert_array_equal(rows[fields["clip_id"]], expected)
    attributes = Shard(list_shards(data / "encodings")[0]).attributes
    assert json.loads(attributes["encoder"]) == {
        "name": Path(toy).name,
        "sha256": encoder.files.sha256,
        "layers": [1, 2],
        "size": 16,
        "frame_pooling": 2,
    }


def test_workers_make_the_same_rows(data: Path, toy: str) -> None:
    params = EncodeParams(model=toy)
    alone = run(params, data)
    for path in list_shards(data / "encodings"):
        path.unlink()
    together = run(params, data, engine=LocalEngine(2))
    assert alone.keys() == together.keys()
    for clip_id, frames in alone.items():
        np.testing.assert_array_equal(together[clip_id], frames)


@pytest.mark.parametrize(("device", "cores"), [("cpu", 1), ("cuda", None)])
def test_a_gpu_is_not_shared_by_a_worker_for_each_core(
    data: Path, toy: str, monkeypatch: pytest.MonkeyPatch, device: str, cores: int | None
) -> None:
    jobs: list[Any] = []
    monkeypatch.setattr("pipeline.stages.encode.extract", lambda _title, job, *_, **__: jobs.append(job))
    encode(EncodeParams(model=toy), data, data / "reports", 0.0, device=device, engine=Anywhere())
    assert [(job.device, job.cores) for job in jobs] == [(device, cores)]


class Anywhere(InProcess):
    """Has every device."""

    def device(self, name: str) -> str:
        return name


def test_what_is_done_is_not_done_again(data: Path, toy: str, calls: list[int]) -> None:
    params = EncodeParams(model=toy)
    run(params, data)
    assert len(calls) == 20
    run(params, data)
    assert len(calls) == 20
    run(params.model_copy(update={"frame_pooling": 4}), data)
    assert len(calls) == 40


def test_another_version_encodes_anew(
    data: Path, toy: str, calls: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    run(EncodeParams(model=toy), data)
    monkeypatch.setattr("featurize.encoders.encoder.VERSION", "another")
    run(EncodeParams(model=toy), data)
    assert len(calls) == 40


def test_the_same_weights_elsewhere_encode_nothing(
    data: Path, toy: str, tmp_path: Path, calls: list[int]
) -> None:
    run(EncodeParams(model=toy), data)
    run(EncodeParams(model=str(save_toy(tmp_path / "moved", "whisper"))), data)
    assert len(calls) == 20


def test_copies_of_training_clips_are_encoded_on_request(data: Path, toy: str, calls: list[int]) -> None:
    augment = AugmentParams(copies=3, methods=("stretch",))
    rows = run(EncodeParams(model=toy, copies=1, layers=(2,)), data, augment_params=augment)
    train = int((Shard(list_shards(data / "denoised")[0]).columns["split"] == "train").sum())
    assert len(rows) == len(calls) == 20 + train
    assert sum("#" in clip_id for clip_id in rows) == train
    run(EncodeParams(model=toy, copies=1, layers=(2,)), data, augment_params=augment)
    assert len(calls) == 20 + train


def test_none_does_nothing(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO, "pipeline"):
        encode(EncodeParams(), tmp_path, tmp_path / "reports", 0.0)
    assert "nothing to do (encode.model: none)" in caplog.text
    assert [path.name for path in (tmp_path / "encodings").iterdir()] == ["rejects.csv"]
    assert (tmp_path / "reports" / "timing" / "encode.json").is_file()


def test_bad_input_is_one_line_before_any_clip(data: Path, toy: str, tmp_path: Path) -> None:
    with pytest.raises(ParamsError, match="hidden states 0 to 2"):
        run(EncodeParams(model=toy, layers=(9,)), data)
    with pytest.raises(WeightsError, match="lacks config"):
        run(EncodeParams(model=str(data)), data)
    with pytest.raises(ShardError, match="no shards"):
        run(EncodeParams(model=toy), tmp_path / "empty")
    assert not (data / "encodings").exists()
