"""The files of an encoder are found or named; no pickle is executed."""

import pickle
from pathlib import Path
from typing import Any

import huggingface_hub
import pytest
from huggingface_hub.errors import LocalEntryNotFoundError, RepositoryNotFoundError

from featurize.encoders.encoder import EncodeParams, Encoder
from featurize.encoders.hub import find_encoder
from featurize.errors import WeightsError
from tests.featurize.encoders.toy_encoders import save_toy


def test_a_folder_is_named_by_its_last_part_and_its_weights(tmp_path: Path) -> None:
    first, second = (find_encoder(str(save_toy(tmp_path / name, "hubert"))) for name in ("a", "b"))
    other = find_encoder(str(save_toy(tmp_path / "c", "hubert", seed=1)))
    assert (first.name, second.name) == ("a", "b")
    assert first.sha256 == second.sha256 != other.sha256
    assert first.weights.name == "model.safetensors"


@pytest.mark.parametrize("name", ["config.json", "preprocessor_config.json", "model.safetensors"])
def test_missing_files_are_named(tmp_path: Path, name: str) -> None:
    (save_toy(tmp_path, "hubert") / name).unlink()
    with pytest.raises(WeightsError, match=rf"{tmp_path} lacks {name}") as error:
        find_encoder(str(tmp_path))
    assert "\n" not in str(error.value)


@pytest.mark.parametrize("content", ["[]", "not json", '"text"'])
def test_a_damaged_configuration_is_one_line(tmp_path: Path, content: str) -> None:
    (save_toy(tmp_path, "hubert") / "config.json").write_text(content)
    with pytest.raises(WeightsError, match=r"encode\.model: "):
        find_encoder(str(tmp_path))


@pytest.mark.parametrize("model", ["./nowhere", "/nowhere/at/all", "~/nowhere-at-all", "whisper", "a/b/c"])
def test_what_is_no_folder_and_no_name_is_one_line(model: str) -> None:
    with pytest.raises(
        WeightsError, match=r"neither a folder nor a name of the Hub such as openai/whisper-base"
    ):
        find_encoder(model)


class Trap:
    """Its pickle creates a file when it is loaded."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> Any:
        return Path.touch, (self.path,)


def test_code_in_a_pickle_is_not_executed(tmp_path: Path) -> None:
    folder = save_toy(tmp_path / "model", "hubert", safetensors=False)
    Encoder(EncodeParams(model=str(folder)))  # tensors alone are read
    (folder / "pytorch_model.bin").write_bytes(pickle.dumps({"weights": Trap(tmp_path / "executed")}))
    with pytest.raises(WeightsError, match="cannot be loaded") as error:
        Encoder(EncodeParams(model=str(folder)))
    assert "\n" not in str(error.value)
    assert not (tmp_path / "executed").exists()


def in_cache(root: Path, model: str) -> Path:
    """A folder of the Hub's cache with a model."""
    snapshot = root / f"models--{model.replace('/', '--')}" / "snapshots" / ("0" * 40)
    save_toy(snapshot, "whisper")
    (snapshot.parent.parent / "refs").mkdir()
    (snapshot.parent.parent / "refs" / "main").write_text("0" * 40)
    return snapshot


def test_a_name_is_found_in_the_cache_without_asking_the_hub(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    snapshot = in_cache(tmp_path, "toys/whisper")
    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_CACHE", str(tmp_path))
    real = huggingface_hub.hf_hub_download

    def from_cache(*args: Any, **kwargs: Any) -> str:
        assert kwargs.pop("local_files_only", False), "asks the Hub"
        return real(*args, local_files_only=True, cache_dir=tmp_path, **kwargs)

    monkeypatch.setattr(huggingface_hub, "hf_hub_download", from_cache)
    found = find_encoder("toys/whisper")
    assert (found.name, found.folder) == ("toys/whisper", snapshot)


def refuse(error: Exception) -> Any:
    def download(*_args: Any, **_kwargs: Any) -> str:
        raise error

    return download


def test_what_cannot_be_had_says_which_files_to_put_where(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(huggingface_hub, "hf_hub_download", refuse(LocalEntryNotFoundError("no network")))
    with pytest.raises(
        WeightsError,
        match=r"toys/absent is neither in the Hub's cache nor can it be downloaded; check the name and the network, or "
        r"put config\.json, preprocessor_config\.json, and model\.safetensors or pytorch_model\.bin into a folder",
    ):
        find_encoder("toys/absent")


def test_a_name_that_does_not_exist_is_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    import httpx2

    response = httpx2.Response(404, request=httpx2.Request("GET", "http://localhost"))
    monkeypatch.setattr(
        huggingface_hub, "hf_hub_download", refuse(RepositoryNotFoundError("404", response=response))
    )
    with pytest.raises(WeightsError, match="the Hub has no public model toys/absent; correct the name"):
        find_encoder("toys/absent")
