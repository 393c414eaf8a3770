"""The weights of a denoiser: finding or downloading them, verifying the published ones, loading them without pickle.

Networks and weights are those of the `denoiser` package (CC BY-NC 4.0); none of them is part of this project.
"""

import hashlib
import json
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from http.client import HTTPException
from pathlib import Path
from typing import Any
from urllib.error import HTTPError

import safetensors
import torch
from denoiser import pretrained
from denoiser.demucs import Demucs
from torch import Tensor

from featurize.audio import SAMPLE_RATE
from featurize.errors import WeightsError


@dataclass(frozen=True)
class Published:
    """A model published by the `denoiser` package; its file name contains the start of the SHA-256."""

    build: Callable[..., Demucs]
    """Builds the network; its argument says whether to load pretrained weights."""
    url: str
    """Of the weights."""
    trained_on: tuple[str, ...] = ()
    """Data sets in its training data."""

    @property
    def file_name(self) -> str:
        """Name under which the file is published and cached, such as dns64-a7761ff99a7d5bb6.th."""
        return self.url.rsplit("/", 1)[-1]

    @property
    def sha256_prefix(self) -> str:
        """First 16 hex digits of the file's SHA-256."""
        return self.file_name.removesuffix(".th").rsplit("-", 1)[-1]


DNS = "DNS Challenge 2020"
"""The training data of the published models."""
PUBLISHED = {
    "dns64": Published(pretrained.dns64, pretrained.DNS_64_URL, (DNS,)),
    "dns48": Published(pretrained.dns48, pretrained.DNS_48_URL, (DNS,)),
    "master64": Published(pretrained.master64, pretrained.MASTER_64_URL, (DNS, "Valentini")),
}
"""Models that can be named in `denoise.model`."""

COMPACT = Path(__file__).parent.parent / "compact.safetensors"
"""The small denoiser that is part of the package; recipes/compact_denoiser trains it, compact.md describes it."""
COMPACT_SHA256 = "007d9f09e6d6bc48805ca6219c5eb043b3b97291a5e2c4b94ee80928d8ef8b51"

_CHOICES = (
    f"denoise.model may be {', '.join(['none', 'compact', *PUBLISHED, 'noisereduce'])} or the path of a"
    " Demucs checkpoint"
)


@dataclass(frozen=True)
class Loaded:
    """A network and where it came from."""

    name: str
    """As in `denoise.model`, or the file name of a checkpoint."""
    sha256: str
    """Of the weights file."""
    module: Demucs
    """In evaluation mode, on the CPU."""
    trained_on: tuple[str, ...]
    """Speakers ("corpus/speaker") or data sets in its training data, as far as the file states them."""
    edge: int = 0
    """Samples of silence that the network needs before and after a clip."""


def load_module(model: str, weights: str | None) -> Loaded:
    """Find, verify and load a network; see `load_denoiser`."""
    if model in PUBLISHED:
        published = PUBLISHED[model]
        path = _local_weights(model, weights) if weights else _published_weights(model, published)
        module = _build(path, partial(published.build, False), _state(_read(path), path))
        return Loaded(model, _sha256(path), _ready(module), published.trained_on)
    path = COMPACT if model == "compact" else Path(model).expanduser()
    if not path.is_file():
        raise WeightsError(f"denoise.model: no checkpoint file {path}; {_CHOICES}")
    if model == "compact" and _sha256(path) != COMPACT_SHA256:
        raise WeightsError(
            f"{path}: damaged (its SHA-256 is not that of the release); install the package again"
        )
    package = _read_safetensors(path) if path.suffix == ".safetensors" else _read(path)
    state = _state(package, path)
    module = _build(path, partial(_demucs_of, package, state), state)
    name = model if model == "compact" else path.name
    return Loaded(
        name, _sha256(path), _ready(module), tuple(package.get("trained_on", ())), package.get("edge", 0)
    )


def _ready(module: Demucs) -> Demucs:
    ready: Demucs = module.eval().requires_grad_(False)
    return ready


def find_weights(model: str, weights: str | None) -> Path | None:
    """Path of a denoiser's weights, or None if they are not on this machine."""
    in_hub = model in PUBLISHED and not weights
    path = hub_path(PUBLISHED[model]) if in_hub else Path(weights or model).expanduser()
    path = COMPACT if model == "compact" else path
    return path if path.is_file() else None


def hub_path(published: Published) -> Path:
    """Path of a published file in torch's hub cache."""
    return Path(torch.hub.get_dir()) / "checkpoints" / published.file_name


def _local_weights(model: str, weights: str) -> Path:
    path = Path(weights).expanduser()
    if not path.is_file():
        raise WeightsError(
            f"weights of {model}: no file {path} (denoise.weights); correct the path, or leave it out"
            f" to use torch's hub cache or the download; {_CHOICES}"
        )
    return path


def _published_weights(name: str, model: Published) -> Path:
    """The published file in torch's hub cache, downloaded there if it is missing."""
    path = hub_path(model)
    if not path.is_file():
        _download(name, model, path)
    elif not _sha256(path).startswith(model.sha256_prefix):
        raise WeightsError(
            f"weights of {name}: {path} is damaged or another file (its SHA-256 does not start with"
            f" {model.sha256_prefix}); delete it, or set denoise.weights to its path to use it anyway"
        )
    return path


def _download(name: str, model: Published, path: Path) -> None:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        bar = sys.stderr.isatty()  # torch.hub writes to a temporary name, verifies the hash, renames
        torch.hub.download_url_to_file(model.url, str(path), model.sha256_prefix, progress=bar)
    except (OSError, HTTPException, RuntimeError) as error:  # RuntimeError: wrong SHA-256
        if isinstance(error, HTTPError):
            error.close()  # it keeps the connection open
        reason = " ".join(str(error).split())
        raise WeightsError(
            f"weights of {name} ({model.file_name}): not in {path.parent}, and the download of {model.url} failed"
            f" ({reason}); put the file there, or set denoise.weights to its path; {_CHOICES}"
        ) from error


def _sha256(path: Path) -> str:
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise WeightsError(f"{path}: cannot be read ({error.strerror})") from error


def _read(path: Path) -> Mapping[str, Any]:
    """Read a file written by torch.save, if it holds only tensors and plain types."""
    try:
        # denoiser's own best.th refers to the class of its model: only this name is allowed to be unpickled.
        with torch.serialization.safe_globals([Demucs]):
            package = torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:  # torch.load raises a dozen types on damaged files
        what = " ".join(str(error).split())[:160]
        raise WeightsError(f"{path}: not a PyTorch checkpoint of tensors and plain types ({what})") from error
    if not isinstance(package, Mapping):
        raise WeightsError(f"{path}: holds a {type(package).__name__}, not a state_dict or a dict with one")
    return package


def _read_safetensors(path: Path) -> Mapping[str, Any]:
    """Read tensors and, from the metadata, Demucs' constructor arguments and the speakers in the training data."""
    try:
        with safetensors.safe_open(path, "pt") as file:
            metadata = file.metadata() or {}
            state = {name: file.get_tensor(name).float() for name in file.keys()}  # noqa: SIM118 - no dict
        package: dict[str, Any] = {"state": state}
        if "args" in metadata:
            package["kwargs"] = json.loads(metadata["args"])
        package["edge"] = int(metadata.get("edge", 0))
        if "data" in metadata:
            data = json.loads(metadata["data"])
            package["trained_on"] = sorted({*data["train"]["speakers"], *data["val"]["speakers"]})
    except (safetensors.SafetensorError, OSError, ValueError, KeyError, TypeError) as error:
        what = " ".join(str(error).split())[:160]
        raise WeightsError(f"{path}: damaged, or not a safetensors file of a denoiser ({what})") from error
    return package


def _state(package: Mapping[str, Any], path: Path) -> Mapping[str, Tensor]:
    state = package.get("state", package.get("model", package))
    if not isinstance(state, Mapping) or not state or not all(isinstance(v, Tensor) for v in state.values()):
        raise WeightsError(f"{path}: no state_dict, neither plain nor under the key 'state' or 'model'")
    if not all(torch.isfinite(value).all() for value in state.values()):
        raise WeightsError(f"{path}: NaN or infinite weights")
    return state


def _demucs_of(package: Mapping[str, Any], state: Mapping[str, Tensor]) -> Demucs:
    """An untrained Demucs with the architecture of the checkpoint."""
    kwargs = package.get("kwargs", package.get("args"))
    return Demucs(**(kwargs if isinstance(kwargs, Mapping) else _architecture(state)))


def _architecture(state: Mapping[str, Tensor]) -> dict[str, int | float | bool]:
    """Demucs' constructor arguments, inferred from the shapes: encoder.i.0 is Conv1d(chin_i, hidden_i, kernel)."""
    depth = 1 + max(int(key.split(".")[1]) for key in state if key.startswith("encoder."))
    hidden = [state[f"encoder.{i}.0.weight"].shape[0] for i in range(depth)]
    return {
        "chin": state["encoder.0.0.weight"].shape[1],
        "chout": state[f"decoder.{depth - 1}.2.weight"].shape[1],
        "hidden": hidden[0],
        "depth": depth,
        "kernel_size": state["encoder.0.0.weight"].shape[2],
        "causal": "lstm.lstm.weight_ih_l0_reverse" not in state,
        "growth": hidden[1] / hidden[0] if depth > 1 else 2,
        "max_hidden": hidden[-1],
        "glu": state["encoder.0.2.weight"].shape[0] == 2 * hidden[0],
    }


def _build(path: Path, build: Callable[[], Demucs], state: Mapping[str, Tensor]) -> Demucs:
    """Build the network and load the weights, which must all have the right name and shape."""
    try:
        module = build()
        module.load_state_dict(state)
    except (KeyError, TypeError, ValueError, RuntimeError, IndexError) as error:
        what = " ".join(str(error).split())[:160]
        raise WeightsError(f"{path}: the weights do not fit the network ({what})") from error
    if (module.chin, module.chout, module.sample_rate) != (1, 1, SAMPLE_RATE):
        found = f"{module.chin} to {module.chout} channels at {module.sample_rate} Hz"
        raise WeightsError(f"{path}: a Demucs for {found}; it must be one for mono at {SAMPLE_RATE} Hz")
    return module
