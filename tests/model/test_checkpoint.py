"""Checkpoints are restored exactly, or refused with one line."""

import copy
import io
import pickle
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from featurize.errors import CheckpointError, SerError
from model.checkpoint import load_checkpoint, save_checkpoint
from model.network.tier1 import NetworkParams, SERTier1

ARGS = {"labels": ["a", "b", "c"], "tier0": {"mfcc": {"n_mfcc": 4}}, "val_uar": np.float64(0.5), "epoch": 3}


@pytest.fixture
def path(tmp_path: Path, toy_network: SERTier1) -> Path:
    toy_network.temperature.fill_(1.7)
    save_checkpoint(tmp_path / "new" / "last.pt", toy_network, ARGS)
    return tmp_path / "new" / "last.pt"


def refused(path: Path, match: str) -> None:
    with pytest.raises(CheckpointError, match=match) as caught:
        load_checkpoint(path)
    assert str(path) in str(caught.value)
    assert "\n" not in str(caught.value)
    assert len(str(caught.value)) < 400 + len(str(path))


def change(path: Path, **changes: Any) -> None:
    content = torch.load(path, weights_only=True)
    torch.save({**content, **changes}, path)


def test_round_trip_needs_nothing_but_the_file(
    path: Path, toy_network: SERTier1, toy_params: NetworkParams
) -> None:
    network, args = load_checkpoint(path)
    assert network.params == toy_params
    assert not network.training
    mfcc, num_frames = torch.randn(2, 4, 9), torch.tensor([9, 4])
    expected = toy_network.eval()(mfcc, num_frames)["logits"]
    assert torch.equal(network(mfcc, num_frames)["logits"], expected)
    assert float(network.temperature) == pytest.approx(1.7)
    assert args["labels"] == ["a", "b", "c"]
    assert args["tier0"] == {"mfcc": {"n_mfcc": 4}}
    assert (args["num_classes"], args["n_mfcc"], args["epoch"], args["val_uar"]) == (3, 4, 3, 0.5)
    assert type(args["val_uar"]) is float
    assert args["torch"] == torch.__version__


def test_the_format_is_as_specified(path: Path) -> None:
    content = torch.load(path, weights_only=True)
    assert set(content) == {"model", "args"}
    assert content["model"].keys() == load_checkpoint(path)[0].state_dict().keys()


def test_equal_networks_give_equal_files_under_any_name(path: Path, toy_network: SERTier1) -> None:
    save_checkpoint(path.with_name("other.pt"), copy.deepcopy(toy_network), ARGS)
    assert path.read_bytes() == path.with_name("other.pt").read_bytes()
    assert sorted(p.name for p in path.parent.iterdir()) == ["last.pt", "other.pt"]


def test_args_that_are_not_plain_are_refused_before_anything_is_written(
    path: Path, toy_network: SERTier1
) -> None:
    before = path.read_bytes()
    with pytest.raises(TypeError):
        save_checkpoint(path, toy_network, {"device": torch.device("cpu")})
    assert path.read_bytes() == before


def test_a_folder_that_cannot_be_written_is_named(tmp_path: Path, toy_network: SERTier1) -> None:
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(SerError, match="cannot be written"):
        save_checkpoint(tmp_path / "file" / "last.pt", toy_network, {})


def test_a_failed_write_keeps_the_old_file_and_leaves_no_other(
    path: Path, toy_network: SERTier1, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = path.read_bytes()

    def full(_descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.fsync", full)
    with pytest.raises(SerError, match="No space left on device"):
        save_checkpoint(path, toy_network, {"epoch": 4})
    assert path.read_bytes() == before
    assert [p.name for p in path.parent.iterdir()] == ["last.pt"]


def test_missing_file_and_folder(tmp_path: Path) -> None:
    refused(tmp_path / "none.pt", "no such file")
    refused(tmp_path, "is a folder")


@pytest.mark.parametrize("keep", [0, 1, 100, -1, -200])
def test_truncated(path: Path, keep: int) -> None:
    path.write_bytes(path.read_bytes()[:keep])
    refused(path, "damaged")


def test_a_flipped_bit_in_a_weight_is_found(path: Path) -> None:
    with zipfile.ZipFile(path) as archive:
        weights = [entry for entry in archive.infolist() if "/data/" in entry.filename]
        largest = max(weights, key=lambda entry: entry.file_size)
    content = bytearray(path.read_bytes())
    start = largest.header_offset + 30 + int.from_bytes(content[largest.header_offset + 26 :][:2], "little")
    start += int.from_bytes(content[largest.header_offset + 28 :][:2], "little")
    content[start + largest.file_size // 2] ^= 1
    path.write_bytes(content)
    torch.load(path, weights_only=True)  # torch alone would not notice
    refused(path, "checksum")


def test_foreign_files(path: Path) -> None:
    path.write_text("not a checkpoint")
    refused(path, "damaged, or not a checkpoint")
    path.write_bytes(pickle.dumps({"model": {}, "args": {}}))
    refused(path, "damaged, or not a checkpoint")
    torch.save(torch.nn.Linear(2, 2).state_dict(), path)
    refused(path, "not a checkpoint of this program")
    torch.save([1, 2], path)
    refused(path, "not a checkpoint of this program")
    torch.save({"model": 1, "args": {}}, path)
    refused(path, "not a dict")


def test_nothing_is_unpickled(path: Path) -> None:
    class Trap:
        def __reduce__(self) -> tuple[Any, ...]:
            return (path.with_name("sprung").write_text, ("x",))

    buffer = io.BytesIO()
    torch.save({"model": Trap(), "args": {}}, buffer)
    path.write_bytes(buffer.getvalue())
    refused(path, "damaged, or not a checkpoint")
    assert not path.with_name("sprung").exists()


def test_args_or_weights_that_do_not_match(path: Path) -> None:
    content = torch.load(path, weights_only=True)
    change(path, args={**content["args"], "num_classes": 5})
    refused(path, "weights do not match")
    change(path, args={**content["args"], "network": {"heads": 3}})
    refused(path, r"args\.network\.heads")
    change(path, args={"labels": []})
    refused(path, r"args\.num_classes")
    change(path, args=content["args"], model={**content["model"], "extra": torch.ones(1)})
    refused(path, "weights do not match")
    change(path, model=dict.fromkeys(content["model"], 1))
    refused(path, "weights do not match")
    change(path, model={3: torch.ones(1)})
    refused(path, "weights do not match")


def test_weights_that_are_not_finite(path: Path) -> None:
    model = torch.load(path, weights_only=True)["model"]
    name = next(name for name, value in model.items() if value.is_floating_point() and value.dim())
    change(path, model={**model, name: model[name] * float("nan")})
    refused(path, "NaN or infinite weights")


def test_archives_of_other_programs(path: Path) -> None:
    with zipfile.ZipFile(path, "w") as archive:  # TorchScript, as far as torch looks
        for name in ("data.pkl", "constants.pkl", "version"):
            archive.writestr(f"best/{name}", pickle.dumps({}, protocol=2))
    refused(path, "damaged, or not a checkpoint")
    np.savez(path.with_suffix(".npz"), a=np.ones(2))
    path.with_suffix(".npz").rename(path)
    refused(path, "damaged, or not a checkpoint")
