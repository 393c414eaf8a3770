"""Checkpoints: weights and everything needed to use them again, in plain types, written whole or not at all.

    {"model": state_dict, "args": {"num_classes", "n_mfcc", "network", "torch", and what the caller adds},
     "resume": only in last.pt, see resume.py}

Nothing is unpickled but tensors and plain types (`weights_only=True`).
"""

import io
import json
import zipfile
from pathlib import Path
from typing import Any

import torch
from pydantic import BaseModel, Field, ValidationError

from featurize.atomic import replacing
from featurize.errors import CheckpointError
from model.network.tier1 import NetworkParams, SERTier1


class _NetworkArgs(BaseModel, extra="ignore"):
    """The part of `args` that a network is built from."""

    num_classes: int = Field(ge=2, le=10_000)
    n_mfcc: int = Field(ge=1, le=10_000)
    network: NetworkParams


def save_checkpoint(
    path: str | Path, network: SERTier1, args: dict[str, Any], resume: dict[str, Any] | None = None
) -> None:
    """Write a network and what it was trained on.

    Args:
        path: file to write, replaced only once the new one stands.
        network: its own sizes and parameters are added to `args`.
        args: plain types: label names, Tier 0 parameters, denoiser, protocol, epoch, ...
        resume: tensors and plain types with which training goes on.

    Raises:
        TypeError: `args` holds something that is not plain.
        SerError: the file cannot be written.
    """
    own = {
        "num_classes": network.num_classes,
        "n_mfcc": network.n_mfcc,
        "network": network.params.model_dump(mode="json"),
        "torch": str(torch.__version__),
    }
    # Through JSON, so that no numpy number, path or str subclass is pickled that the loader would refuse.
    plain = json.loads(json.dumps({**args, **own}))
    state = {name: value.detach().cpu() for name, value in network.state_dict().items()}
    # Into memory first: torch writes the file's name into the file, and equal runs should give equal bytes.
    content = io.BytesIO()
    torch.save({"model": state, "args": plain} | ({"resume": resume} if resume else {}), content)
    with replacing(path) as temporary:
        temporary.write_bytes(content.getvalue())


def load_checkpoint(path: str | Path, device: str | torch.device = "cpu") -> tuple[SERTier1, dict[str, Any]]:
    """Build the network of a checkpoint, in evaluation mode, and return it with the stored `args`.

    Raises:
        CheckpointError: the file is missing, damaged, not a checkpoint of this program, or its weights do not
            fit the network that its `args` describe.
    """
    path = Path(path)
    content = read_checkpoint(path)
    state, args = content["model"], content["args"]
    try:
        sizes = _NetworkArgs.model_validate(args)
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"])
        raise CheckpointError(
            f"{path}: not a checkpoint of this program (args.{where}: {first['msg']}); train again"
        ) from error
    network = SERTier1(sizes.n_mfcc, sizes.num_classes, sizes.network)
    try:
        network.load_state_dict(state)
    except (RuntimeError, TypeError, AttributeError) as error:
        reason = " ".join(str(error).split())[:200]
        raise CheckpointError(
            f"{path}: weights do not fit the network that its args describe ({reason}); train again"
        ) from error
    return network.to(device).eval(), args


def read_checkpoint(path: Path) -> dict[str, Any]:
    """What the file holds, unpickling nothing but tensors and plain types.

    Raises:
        CheckpointError: the file is missing, damaged or not a checkpoint of this program.
    """
    if not path.is_file():
        found = "is a folder" if path.is_dir() else "no such file"
        raise CheckpointError(f"{path}: {found}; give a checkpoint such as checkpoints/best_uar_0.8500.pt")
    try:
        # torch does not compare the archive's own checksums: a flipped bit would be a silently wrong weight.
        with zipfile.ZipFile(path) as archive:
            damaged = archive.testzip()
        if damaged is not None:
            raise zipfile.BadZipFile(f"{damaged} does not match its checksum")
        content = torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:  # torch answers damage and foreign pickles with a dozen types
        reason = " ".join(str(error).split())[:120]
        raise CheckpointError(
            f"{path}: damaged, or not a checkpoint ({reason}); train again or choose another file"
        ) from error
    if not isinstance(content, dict) or not {"model", "args"} <= content.keys():
        raise CheckpointError(
            f'{path}: not a checkpoint of this program (no "model" and "args"); train again'
        )
    if not isinstance(content["model"], dict) or not isinstance(content["args"], dict):
        raise CheckpointError(f'{path}: not a checkpoint of this program ("model" or "args" is no dict)')
    return content
