"""Frames of speech are those whose middle is in a segment; encodings are found by the hash of their clip."""

import json
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from featurize.encoders import families
from featurize.errors import ShardError, TrainingError
from featurize.shards import Row, Shard, write_shard
from model.feature_splits import load_features
from model.views import FRAME_SAMPLES, EncodedClips, Encodings, View, contents_of, speech_frames

LABELS = ["angry", "sad"]


@given(
    num_frames=st.integers(1, 60),
    frame=st.integers(1, 900),
    cuts=st.lists(st.integers(0, 30_000), max_size=6, unique=True),
)
def test_speech_frames_are_those_of_a_loop(num_frames: int, frame: int, cuts: list[int]) -> None:
    ordered = sorted(cuts)[: len(cuts) // 2 * 2]
    segments = np.array(ordered, dtype=np.int64).reshape(-1, 2)
    expected = [any(start <= (t + 0.5) * frame < end for start, end in segments) for t in range(num_frames)]
    found = speech_frames(segments, num_frames, frame)
    assert found.tolist() == (expected if any(expected) else [True] * num_frames)


def test_frames_are_as_long_as_where_they_are_made() -> None:
    """The floors forbid model to import the encoders, so that the number stands in both."""
    assert FRAME_SAMPLES == families.FRAME_SAMPLES


def write_both(folder: Path, augmented: bool = False, encoded: tuple[str, ...] = ("a", "b", "a+")) -> Path:
    """Feature shards of two clips and a copy, and encodings of some: 10 frames of 2 x 3 values."""
    names = ["a", "b", *(["a+"] if augmented else [])]

    def columns(name: str) -> dict[str, str | float | int | bool]:
        return {
            "clip_id": name,
            "sha256": name,
            "label": LABELS[name == "b"],
            "split": "train",
            "augmentation": "noise" if "+" in name else "",
        }

    segments = np.array([[0, 1_280], [3_200, 4_000]])  # frames 0, 1 and 5 of 640 samples
    rows = [Row(columns(name), np.zeros((4, 2), np.float32), segments) for name in names]
    write_shard(folder / "features" / "part-00000.h5", "mfcc", rows, {})
    encoder = {"name": "toy", "sha256": "0", "layers": [1, 2], "size": 3, "frame_pooling": 2}
    attributes = {"encoder": json.dumps(encoder), "encode_step": "{}", "encode": "{}"}
    frames = np.arange(60, dtype=np.float16).reshape(10, 2, 3)
    made = [Row(columns(name), frames + 100 * index) for index, name in enumerate(names) if name in encoded]
    write_shard(folder / "encodings" / "part-00000.h5", "encoding", made, attributes)
    return folder


def load(folder: Path, views: tuple[str, ...] = ("mfcc", "encoder")) -> object:
    encodings = Encodings(sorted((folder / "encodings").glob("*.h5")))
    return load_features(sorted((folder / "features").glob("*.h5")), LABELS, "train", views, encodings)  # type: ignore[arg-type]


def test_the_frames_of_a_clip_are_its_speech_in_all_layers(tmp_path: Path) -> None:
    features = load(write_both(tmp_path))
    frames = features.views["encoder"]  # type: ignore[attr-defined]
    assert len(frames) == 2
    assert frames.lengths == [3, 3]
    assert frames[0].dtype == np.float32
    assert frames[0].tolist() == np.arange(60).reshape(10, 6)[[0, 1, 5]].tolist()
    assert frames[1].tolist() == (np.arange(60).reshape(10, 6)[[0, 1, 5]] + 100).tolist()
    assert [len(clip) for clip in features.views["mfcc"]] == [4, 4]  # type: ignore[attr-defined]


def test_copies_that_are_not_encoded_are_left_out(tmp_path: Path) -> None:
    some = load(write_both(tmp_path / "some", augmented=True, encoded=("a", "b")))
    every = load(write_both(tmp_path / "every", augmented=True))
    assert (len(some), len(every)) == (2, 3)  # type: ignore[arg-type]
    assert len(load(tmp_path / "some", ("mfcc",))) == 3  # type: ignore[arg-type]


def test_clips_that_are_not_encoded_are_one_line(tmp_path: Path) -> None:
    with pytest.raises(TrainingError, match=r"b: one of 1 clips that are not encoded.*run `ser encode`"):
        load(write_both(tmp_path, encoded=("a",)))


def test_shards_of_two_encoders_are_one_line(tmp_path: Path) -> None:
    for name, step in (("one", "{}"), ("two", '{"layers": [1]}')):
        encoder = json.dumps({"layers": [0], "size": 2})
        attributes = {"encoder": encoder, "encode_step": step, "encode": "{}"}
        row = Row({"sha256": name}, np.zeros((1, 1, 2)))
        write_shard(tmp_path / f"{name}.h5", "encoding", [row], attributes)
    with pytest.raises(TrainingError, match=r"one\.h5 and .*two\.h5 are of different encoders"):
        Encodings(sorted(tmp_path.glob("*.h5")))


def test_a_shard_is_verified_when_the_first_of_its_clips_is_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    verified: list[bool] = []
    opened = Shard.__init__

    def watched(self: Shard, path: Path, verify: bool = True) -> None:
        opened(self, path, verify)
        if self.kind == "encoding":
            verified.append(verify)

    monkeypatch.setattr(Shard, "__init__", watched)
    frames = load(write_both(tmp_path)).views["encoder"]  # type: ignore[attr-defined]
    assert verified == [False]
    assert [len(clip) for clip in frames] == [3, 3]
    assert verified == [False, True]
    path = tmp_path / "encodings" / "part-00000.h5"
    content = path.read_bytes()
    frame = np.arange(60, dtype=np.float16)[6:12].tobytes()
    assert content.count(frame) == 1
    path.write_bytes(content.replace(frame, frame[::-1]))
    damaged = load(tmp_path).views["encoder"]  # type: ignore[attr-defined]
    with pytest.raises(ShardError, match="does not match its checksum"):
        damaged[0]


def test_contents_differ_where_frames_do_and_are_had_without_reading_encodings(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def contents(folder: Path, view: View) -> list[bytes]:
        return [bytes(content) for content in contents_of(load(folder).views[view])]  # type: ignore[attr-defined]

    one = write_both(tmp_path / "one")
    with monkeypatch.context() as patch:
        patch.setattr(EncodedClips, "clip", lambda *_: pytest.fail("read"))
        first = contents(one, "encoder")
        assert first == contents(write_both(tmp_path / "same"), "encoder")
        assert len(set(first)) == 2
        other = write_both(tmp_path / "other", encoded=("b", "a"))
        shard = Shard(other / "encodings" / "part-00000.h5")
        rows = [Row(shard.fields(row), shard.data(row) + 1) for row in range(2)]
        write_shard(shard.path, "encoding", rows, shard.attributes)
        assert not {*contents(other, "encoder")} & {*first}
        features = Shard(one / "features" / "part-00000.h5")
        segments = np.array([[0, 640]])  # other frames of the same shard
        rows = [Row(features.fields(row), features.data(row), segments) for row in range(2)]
        write_shard(features.path, "mfcc", rows, features.attributes)
        assert not {*contents(one, "encoder")} & {*first}
    assert contents(one, "mfcc") == [np.zeros((4, 2), np.float32).tobytes()] * 2


def test_other_shards_are_one_line(tmp_path: Path) -> None:
    write_both(tmp_path)
    with pytest.raises(TrainingError, match="holds mfcc, not encoding"):
        Encodings(sorted((tmp_path / "features").glob("*.h5")))
