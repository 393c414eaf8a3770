"""Where arithmetic runs: a choice of the command line, never of params.yaml."""

import torch

from featurize.errors import SerError


def resolve_device(name: str) -> str:
    """Turn "auto" into the fastest device present, and check any other name.

    Raises:
        SerError: the device does not exist here.
    """
    if name == "auto":
        return "cuda" if torch.cuda.is_available() else "cpu"
    try:
        torch.zeros(1, device=name)
    except (RuntimeError, AssertionError, NotImplementedError) as error:
        reason = " ".join(str(error).split())[:120]
        raise SerError(f"--device {name}: not usable here ({reason}); choose cpu or auto") from error
    return name
