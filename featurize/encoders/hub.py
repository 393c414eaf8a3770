"""The files of an encoder: in a folder, or under a name of the Hugging Face Hub.

An encoder is three files: config.json (its family and size), preprocessor_config.json (how it takes samples), and its
weights. Weights in safetensors are preferred; pytorch_model.bin is read by torch's loader of plain tensors. No code
that comes with a model is run, and nothing else is unpickled.
"""

import hashlib
import json
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from featurize.errors import WeightsError

CONFIG, PREPROCESSOR = "config.json", "preprocessor_config.json"
WEIGHTS = ("model.safetensors", "pytorch_model.bin")
NEEDED = f"{CONFIG}, {PREPROCESSOR}, and {WEIGHTS[0]} or {WEIGHTS[1]}"


@dataclass(frozen=True)
class EncoderFiles:
    """Where the files of an encoder lie, and what its weights are."""

    name: str
    """As in `encode.model`; of a folder, its last part."""
    folder: Path
    weights: Path
    sha256: str
    """Of the weights."""
    config: dict[str, Any]
    """config.json."""
    settings_sha256: str
    """Of both JSON files."""


def find_encoder(model: str, download: bool = True) -> EncoderFiles:
    """Find the files of `encode.model`.

    Args:
        model: a folder, or a name of the Hub.
        download: files of the Hub that are not in its cache.

    Raises:
        WeightsError: they are not there, cannot be had, or cannot be read.
    """
    folder = Path(model).expanduser()
    if folder.is_dir():
        name = folder.resolve().name
    elif model.startswith((".", "/", "~")) or folder.exists() or model.count("/") != 1:
        raise WeightsError(
            f"encode.model: {model} is neither a folder nor a name of the Hub such as openai/whisper-base;"
            f" a folder holds {NEEDED}"
        )
    else:
        folder, name = _from_hub(model, download), model
    return _read(name, folder)


def _read(name: str, folder: Path) -> EncoderFiles:
    if missing := _missing(folder):
        what = ", ".join(missing)
        raise WeightsError(f"encode.model: {folder} lacks {what}; put the files of the encoder there")
    weights = next(folder / file for file in WEIGHTS if (folder / file).is_file())
    try:
        settings = [(folder / file).read_bytes() for file in (CONFIG, PREPROCESSOR)]
        config = json.loads(settings[0])
        with weights.open("rb") as file:
            sha256 = hashlib.file_digest(file, "sha256").hexdigest()
    except (OSError, ValueError) as error:
        what = " ".join(str(error).split())
        raise WeightsError(f"encode.model: the files in {folder} cannot be read ({what})") from error
    if not isinstance(config, dict):
        raise WeightsError(f"encode.model: {folder / CONFIG} is not the configuration of a model")
    return EncoderFiles(
        name, folder, weights, sha256, config, hashlib.sha256(b"\0".join(settings)).hexdigest()
    )


def _missing(folder: Path) -> list[str]:
    """What a folder lacks of an encoder's files."""
    missing = [file for file in (CONFIG, PREPROCESSOR) if not (folder / file).is_file()]
    has_weights = any((folder / file).is_file() for file in WEIGHTS)
    return missing if has_weights else [*missing, f"{WEIGHTS[0]} or {WEIGHTS[1]}"]


def _from_hub(model: str, download: bool) -> Path:
    """The folder in the Hub's cache that holds a model's files, which are downloaded only if it lacks them."""
    from huggingface_hub import hf_hub_download, logging
    from huggingface_hub.errors import EntryNotFoundError, RepositoryNotFoundError

    logging.set_verbosity_error()  # type: ignore[no-untyped-call]
    with suppress(Exception):
        cached = Path(hf_hub_download(model, CONFIG, local_files_only=True)).parent
        if not _missing(cached):
            return cached
    if not download:
        raise WeightsError(
            f"encode.model: {model} is not in the Hub's cache; it is downloaded when first used"
        )
    try:
        hf_hub_download(model, CONFIG)
        folder = Path(hf_hub_download(model, PREPROCESSOR)).parent
        for file in WEIGHTS:
            try:
                return Path(hf_hub_download(model, file)).parent
            except EntryNotFoundError:
                if (folder / file).is_file() or file == WEIGHTS[-1]:
                    raise
    except RepositoryNotFoundError as error:
        raise WeightsError(
            f"encode.model: the Hub has no public model {model}; correct the name, or give a folder"
        ) from error
    except (
        Exception
    ) as error:  # without a network, the Hub's client and what it is made of raise a dozen types
        raise WeightsError(
            f"encode.model: {model} is neither in the Hub's cache nor can it be downloaded; check the name and the"
            f" network, or put {NEEDED} into a folder, and give the folder"
        ) from error
    raise AssertionError("the last file either is there or raises")
