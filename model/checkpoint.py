"""Checkpoints: weights and everything needed to use them, in plain types, written atomically.

    {"model": state_dict, "args": {"num_classes", "n_mfcc", "network", "torch", and what the caller adds},
     "resume": only in last.pt, see training/resume.py}

Only tensors and plain types are unpickled (`weights_only=True`).
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
    encoding: tuple[int, int] | None = None
    no_agreement: bool


def save_checkpoint(
    path: str | Path, network: SERTier1, args: dict[str, Any], resume: dict[str, Any] | None = None
) -> None:
    """Write a network and the settings that it was trained with.

    Args:
        path: file to write; an existing one is replaced only when the new one is complete.
        network: its sizes and parameters are added to `args`.
        args: plain types: label names, Tier 0 parameters, denoiser, protocol, epoch, ...
        resume: the state of training, as tensors and plain types.

    Raises:
        TypeError: `args` holds other than plain types.
        SerError: the file cannot be written.
    """
    own = {
        "num_classes": network.num_classes,
        "n_mfcc": network.n_mfcc,
        "network": network.params.model_dump(mode="json"),
        "encoding": network.encoding,
        "no_agreement": network.no_agreement,
        "torch": str(torch.__version__),
    }
    # Through JSON, so that no numpy number, path or str subclass is pickled, which the loader would reject.
    plain = json.loads(json.dumps({**args, **own}))
    state = {name: value.detach().cpu() for name, value in network.state_dict().items()}
    # Into memory first: torch writes the file's name into the file, and equal runs should write equal bytes.
    content = io.BytesIO()
    torch.save({"model": state, "args": plain} | ({"resume": resume} if resume else {}), content)
    with replacing(path) as temporary:
        temporary.write_bytes(content.getvalue())


def load_checkpoint(path: str | Path, device: str | torch.device = "cpu") -> tuple[SERTier1, dict[str, Any]]:
    """Build the network of a checkpoint, in evaluation mode, and return it with the stored `args`.

    Raises:
        CheckpointError: the file is missing or damaged, is not a checkpoint of this program, or its weights do not
            match the network described by its `args`, or are not finite.
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
    try:
        network = SERTier1(
            sizes.n_mfcc, sizes.num_classes, sizes.network, sizes.encoding, no_agreement=sizes.no_agreement
        )
        network.load_state_dict(state)
    except (RuntimeError, ValueError, TypeError, AttributeError) as error:
        reason = " ".join(str(error).split())[:200]
        raise CheckpointError(
            f"{path}: the weights do not match the network described by args ({reason}); train again"
        ) from error
    if broken := [name for name, value in network.state_dict().items() if not torch.isfinite(value).all()]:
        raise CheckpointError(f"{path}: NaN or infinite weights in {broken[0]}; train again")
    return network.to(device).eval(), args


def read_checkpoint(path: Path) -> dict[str, Any]:
    """Read the content of a checkpoint file; only tensors and plain types are unpickled.

    Raises:
        CheckpointError: the file is missing, damaged or not a checkpoint of this program.
    """
    if not path.is_file():
        found = "is a folder" if path.is_dir() else "no such file"
        raise CheckpointError(f"{path}: {found}; name a checkpoint such as checkpoints/best_uar_0.8500.pt")
    try:
        # torch does not verify the archive's checksums: a flipped bit would silently change a weight.
        with zipfile.ZipFile(path) as archive:
            damaged = archive.testzip()
        if damaged is not None:
            raise zipfile.BadZipFile(f"{damaged} does not match its checksum")
        content = torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:  # torch raises a dozen types on damaged files and foreign pickles
        reason = " ".join(str(error).split())[:120]
        if not zipfile.is_zipfile(path):
            raise CheckpointError(
                f"{path}: damaged, or not a checkpoint of this program; name another file"
            ) from error
        raise CheckpointError(
            f"{path}: damaged, or not a checkpoint ({reason}); train again, or name another file"
        ) from error
    if not isinstance(content, dict) or not {"model", "args"} <= content.keys():
        raise CheckpointError(
            f'{path}: not a checkpoint of this program (no "model" and "args"); train again'
        )
    if not isinstance(content["model"], dict) or not isinstance(content["args"], dict):
        raise CheckpointError(f'{path}: not a checkpoint of this program ("model" or "args" is not a dict)')
    return content
