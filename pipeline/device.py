"""The device that torch runs on: an option of the commands, not a parameter in params.yaml."""

import torch

from featurize.errors import SerError


def resolve_device(name: str) -> str:
    """Turn "auto" into "cuda" or "cpu", and check that any other device can be used.

    Raises:
        SerError: the device cannot be used on this machine.
    """
    if name == "auto":
        return "cuda" if torch.cuda.is_available() else "cpu"
    try:
        torch.zeros(1, device=name)
    except (RuntimeError, AssertionError, NotImplementedError) as error:
        reason = " ".join(str(error).split())[:120]
        raise SerError(f"--device {name}: not usable here ({reason}); choose cpu or auto") from error
    return name
