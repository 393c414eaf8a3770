"""Whatever a command is given, it answers or says one line: exit code 0, 2, 3 or 4, and never a traceback."""

import contextlib
import io
import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.cli import main
from pipeline.params import known_names
from pipeline.runs.best_checkpoint import best_checkpoint

FEW = settings(max_examples=25)
FEWER = settings(max_examples=10)
SCALARS = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8)
VALUES = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=3),
    max_leaves=6,
)
TEXTS = st.text(max_size=12) | st.sampled_from(
    ["", "-", "--", "-1", "0", "nan", "1e999", "cuda:99", "\udcff", "a\0"]
)
OPTIONS = {
    "train": ["--device", "--checkpoints", "--params", "--data", "--reports"],
    "evaluate": ["--checkpoint", "--checkpoints", "--data", "--device"],
    "featurize": ["--workers", "--engine", "--data"],
    "denoise": ["--device", "--engine", "--workers"],
    "manifest": ["--params", "--data", "--engine"],
    "baseline": ["--params", "--data", "--reports"],
    "report": ["--data", "--reports"],
    "summary": ["--reports"],
    "compare": ["--reports"],
    "cv": ["--seeds", "--reports"],
    "ablate": ["--augment", "--seeds", "--vad"],
    "robustness": ["--noise", "--snr", "--seed", "--checkpoint", "--weights"],
    "leak-tax": ["--epochs", "--seed", "--data"],
    "audit": ["--speaker", "--audio", "--workers"],
    "inspect": ["--plot", "--channel", "--device"],
    "predict": ["--checkpoint", "--weights", "--channel", "--device"],
    "doctor": ["--params"],
}


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """An empty folder, the working directory."""
    folder = tmp_path_factory.mktemp("any")
    with contextlib.chdir(folder):
        yield folder


@pytest.fixture(scope="module")
def checkpoint(small_run: Any) -> Path:
    return best_checkpoint(small_run.checkpoints)


@pytest.fixture(scope="module")
def clip(small_run: Any) -> Path:
    found: Path = next((small_run.data / "raw" / "demo").rglob("*.wav"))
    return found


def check(*arguments: object) -> None:
    """Run `ser`; its exit code is one of those it has."""
    out, err = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err), pytest.raises(SystemExit) as left:
        main([str(argument) for argument in arguments])
    assert (left.value.code or 0) in {0, 2, 3, 4}, err.getvalue()
    assert "Traceback" not in err.getvalue() + out.getvalue()
    if left.value.code:
        assert out.getvalue() + err.getvalue() != ""


def damaged(whole: bytes) -> st.SearchStrategy[bytes]:
    """Bytes of any kind, and a valid file with some of its bytes changed, at its start above all, or its end lost."""
    places = st.integers(0, 63) | st.integers(0, len(whole) - 1)
    changes = st.dictionaries(places, st.integers(0, 255), max_size=4)

    def change(changes: dict[int, int], keep: int) -> bytes:
        content = bytearray(whole)
        for at, value in changes.items():
            content[at] = value
        return bytes(content[:keep])

    keep = st.integers(0, len(whole)) | st.just(len(whole))
    return st.binary(max_size=200) | st.builds(change, changes, keep)


def test_any_bytes_as_a_recording(place: Path, clip: Path, checkpoint: Path) -> None:
    @FEWER
    @given(damaged(clip.read_bytes()), st.sampled_from(["wav", "mp3", "m4a", "raw", "txt"]), st.booleans())
    def run(content: bytes, ending: str, standard_input: bool) -> None:
        file = place / f"any.{ending}"
        file.write_bytes(content)
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(content)))
            check("predict", "-" if standard_input else file, "-c", checkpoint)

    run()


def test_any_bytes_as_a_checkpoint(place: Path, clip: Path, checkpoint: Path) -> None:
    @FEW
    @given(damaged(checkpoint.read_bytes()))
    def run(content: bytes) -> None:
        (place / "any.pt").write_bytes(content)
        check("predict", clip, "-c", place / "any.pt")

    run()


def test_any_values_in_a_checkpoint(place: Path, clip: Path, checkpoint: Path) -> None:
    whole = torch.load(checkpoint, weights_only=True)
    names = sorted(whole["args"])

    @FEWER
    @given(
        st.dictionaries(st.sampled_from([*names, "later"]), VALUES, min_size=1, max_size=2),
        VALUES,
        st.booleans(),
    )
    def run(changes: dict[str, Any], tier0: Any, deep: bool) -> None:
        args = {**whole["args"], **changes}
        if deep and isinstance(tier0, dict):
            args["tier0"] = {**whole["args"]["tier0"], **tier0}
        torch.save({**whole, "args": args}, place / "any.pt")
        check("predict", clip, "-c", place / "any.pt")
        check("robustness", "--noise", clip.parent, "-c", place / "any.pt", "--snr", "0")

    run()


CELLS = st.sampled_from(
    ["a.wav", "happy", "0", "3.0", "nan", "path", "label", "speaker", "start", "end", '"', ";"]
)
ROWS = st.lists(st.lists(CELLS | st.text(max_size=5), min_size=1, max_size=4).map(",".join), max_size=5)


@FEW
@given(
    st.binary(max_size=100)
    | ROWS.map(lambda rows: "\n".join(["path,label,start", *rows]).encode(errors="replace"))
)
def test_any_bytes_as_a_table(place: Path, clip: Path, content: bytes) -> None:
    (place / "any.csv").write_bytes(content)
    (place / "a.wav").write_bytes(clip.read_bytes())
    (place / "table.yaml").write_text("corpus: {name: table, root: any.csv}\nsplit: {method: random}")
    check("manifest", "--params", "table.yaml", "--data", "any", "--workers", "0")
    check("audit", "any.csv")


FIELDS = st.sampled_from(["wav", "emo", "speaker", "split", "start_time", "text", "audio"])
LINES = st.lists(st.dictionaries(FIELDS, VALUES | st.sampled_from(["train", "test"])), max_size=4)


@FEW
@given(st.binary(max_size=60) | LINES.map(lambda rows: "\n".join(map(json.dumps, rows)).encode()))
def test_any_bytes_as_split_files(place: Path, content: bytes) -> None:
    for name in ("any_train.jsonl", "any_test.jsonl", "any.parquet"):
        (place / name).write_bytes(content)
    check("audit", "any_train.jsonl", "any_test.jsonl")
    check("audit", "any_test.jsonl", "--json")
    check("audit", "any.parquet")


@FEW
@given(st.binary(max_size=60) | st.text(max_size=60).map(lambda text: text.encode(errors="replace")))
def test_any_bytes_as_parameters(place: Path, content: bytes) -> None:
    (place / "any.yaml").write_bytes(content)
    check("train", "--params", "any.yaml", "--data", "absent")
    check("doctor", "--params", "any.yaml")


@FEW
@given(st.sampled_from([name for name in known_names() if "." in name]), VALUES)
def test_any_value_of_a_parameter(place: Path, name: str, value: Any) -> None:
    from ruamel.yaml import YAML

    content: Any = value
    for key in reversed(name.split(".")):
        content = {key: content}
    with (place / "any.yaml").open("w", encoding="utf-8", errors="backslashreplace") as file:
        YAML(typ="safe").dump(content, file)
    check("train", "--params", "any.yaml", "--data", "absent")
    check("manifest", "--params", "any.yaml", "--data", "any", "--workers", "0")


@settings(max_examples=60)
@given(st.data())
def test_any_option(place: Path, data: st.DataObject) -> None:
    (place / "params.yaml").write_text("")
    command = data.draw(st.sampled_from(sorted(OPTIONS)))
    chosen = data.draw(st.lists(st.sampled_from(OPTIONS[command]), max_size=2))
    options = [part for option in chosen for part in (option, data.draw(TEXTS))]
    names = data.draw(st.lists(TEXTS, max_size=2))
    check(command, *options, *names)
