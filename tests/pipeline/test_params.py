"""A mistake in params.yaml is one line with the dotted name of the parameter."""

from pathlib import Path

import pytest

from featurize.errors import ParamsError
from pipeline.params import Params, load_params


def written(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "params.yaml"
    path.write_text(text)
    return path


def test_what_is_left_out_has_its_default(tmp_path: Path) -> None:
    assert load_params(written(tmp_path, "")) == Params()
    assert load_params(written(tmp_path, "train: {lr: 0.5}")).train.lr == 0.5


def test_lists_become_tuples_and_whole_numbers_become_floats(tmp_path: Path) -> None:
    params = load_params(written(tmp_path, "network: {conv_channels: [8, 16]}\nvad: {pad_ms: 10}"))
    assert params.network.conv_channels == (8, 16)
    assert params.vad.pad_ms == 10.0


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("train: {lrr: 0.1}", "train.lrr is not a parameter; did you mean train.lr?"),
        ("trian: {lr: 0.1}", "trian is not a parameter; did you mean train?"),
        (
            "corpus: {demo: {voicess: 3}}",
            "corpus.demo.voicess is not a parameter; did you mean corpus.demo.voices?",
        ),
        ("train: {epochs: many}", "train.epochs = 'many': input should be a valid integer"),
        ("train: {epochs: true}", "train.epochs = True: input should be a valid integer"),
        ("train: {epochs: 0}", "train.epochs = 0: input should be greater than 0"),
        ("mfcc: {n_mfcc: 80}", "n_mfcc (80) cannot exceed n_mels (64)"),
        ("vad: {if_no_speech: drop}", "vad.if_no_speech = 'drop': input should be 'keep' or 'reject'"),
        ("split: {folds: 1}", "split.folds"),
        ("train: 3", "train = 3"),
        ("- a list", "the file = ['a list']"),
    ],
)
def test_mistakes_are_named(tmp_path: Path, text: str, message: str) -> None:
    path = written(tmp_path, text)
    with pytest.raises(ParamsError) as caught:
        load_params(path)
    assert message in str(caught.value)
    assert str(path) in str(caught.value)
    assert "\n" not in str(caught.value)


def test_no_yaml_and_no_file(tmp_path: Path) -> None:
    with pytest.raises(ParamsError, match="not YAML"):
        load_params(written(tmp_path, "train: [1, 2"))
    with pytest.raises(ParamsError, match="does not exist"):
        load_params(tmp_path / "absent.yaml")


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"\xff\xfe\x00t", "not UTF-8 text"),
        (b"train: 2001-99-99", "not YAML"),
        (b"[" * 5000, "not YAML"),
        (b"train: {1: 2, [1]: 3}", "not plain values"),
        (b"a: &a [*a]", "not plain values|not YAML|a is not a parameter"),
        (b"train: {lr: .nan}", "train.lr"),
        (b'labels: {map: "\\ud800"}', "labels"),
        (b"train: {lr: '" + b"x" * 9999 + b"'}", "train.lr"),
    ],
)
def test_any_bytes_are_one_line(tmp_path: Path, content: bytes, message: str) -> None:
    path = tmp_path / "params.yaml"
    path.write_bytes(content)
    with pytest.raises(ParamsError, match=message) as caught:
        load_params(path)
    assert "\n" not in str(caught.value)
    assert len(str(caught.value)) < 1000 + len(str(path))


def test_a_file_that_cannot_be_read(tmp_path: Path) -> None:
    for path in (tmp_path, tmp_path / ("a" * 5000), tmp_path / "a\0b"):
        with pytest.raises(ParamsError, match=r"cannot be read|does not exist") as caught:
            load_params(path)
        assert "\n" not in str(caught.value)
