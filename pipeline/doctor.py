"""`ser doctor`: check the installation before a long run."""

import os
from importlib.util import find_spec
from pathlib import Path

import torch
from rich.console import Console
from rich.table import Table

from featurize.demucs.weights import PUBLISHED, find_weights
from featurize.denoise import DenoiseParams
from featurize.encoders.hub import find_encoder
from featurize.errors import SerError, WeightsError
from pipeline.params import load_params
from pipeline.protocol.provenance import versions

GATE = "noisereduce"
"""Spectral gating: name of the package and of the model."""
COMPACT = "compact"
"""The denoiser that comes with the project."""


def doctor(params_file: Path) -> bool:
    """Print the state of the installation; return False if something that the params need is missing."""
    problems: list[str] = []
    table = Table(show_header=False, box=None, pad_edge=False)
    table.add_column()
    table.add_column(overflow="fold")  # a path is not cut short
    for name, text in _facts(params_file, problems):
        table.add_row(name, text)
    Console().print(table, soft_wrap=True, highlight=False, markup=False)
    for problem in problems:
        Console(stderr=True).print(f"problem: {problem}", style="red", highlight=False, markup=False)
    return not problems


def _facts(params_file: Path, problems: list[str]) -> list[tuple[str, str]]:
    facts = list(versions().items())
    if torch.cuda.is_available():
        gpu = f"{torch.cuda.get_device_name()}, {torch.cuda.get_device_properties(0).total_memory / 2**30:.0f} GiB"
    else:
        gpu = "none"
    facts += [("GPU", gpu), ("threads", f"{torch.get_num_threads()} of {os.cpu_count()} cores")]
    facts += [(f"weights of {name}", _weights(DenoiseParams(model=name))) for name in (COMPACT, *PUBLISHED)]
    try:
        params = load_params(params_file)
    except SerError as error:
        problems.append(str(error))
        return [*facts, ("params", f"{params_file}: not usable")]
    facts.append(("params", f"{params_file}: fine"))
    facts.append(("denoise.model", f"{params.denoise.model}: {_weights(params.denoise)}"))
    if _missing(params.denoise):
        what = (
            "its package is not installed"
            if params.denoise.model == GATE
            else "its weights are not on this machine"
        )
        problems.append(f"denoise.model is {params.denoise.model}, and {what}")
    facts.append(("encode.model", _encoder(params.encode.model, problems)))
    if params.baseline.opensmile and find_spec("opensmile") is None:
        problems.append(f"baseline.view is {params.baseline.view}, and opensmile is not installed")
    root = Path(params.corpus.root)
    if not root.exists() and params.corpus.name != "demo":
        problems.append(f"corpus.root: {root} does not exist")
    facts.append(
        ("corpus", f"{params.corpus.name} at {root}" + ("" if root.exists() else " (does not exist yet)"))
    )
    return facts


def _missing(params: DenoiseParams) -> bool:
    if params.model == GATE:
        return find_spec(GATE) is None
    return params.model != "none" and find_weights(params.model, params.weights) is None


def _weights(params: DenoiseParams) -> str:
    if params.model in {"none", GATE}:
        return "no weights needed"
    found = find_weights(params.model, params.weights)
    return f"found at {found}" if found else "not found (downloaded when first used)"


def _encoder(model: str, problems: list[str]) -> str:
    """Where an encoder is; what is missing is a problem."""
    if model == "none":
        return "none"
    if find_spec("transformers") is None:
        problems.append(
            f"encode.model is {model}, and transformers is not installed; pip install 'ser[encoders]'"
        )
        return f"{model}: transformers is not installed"
    try:
        files = find_encoder(model, download=False)
    except WeightsError as error:
        problems.append(str(error))
        return f"{model}: not usable"
    return f"{model}: {files.config.get('model_type')}, SHA-256 {files.sha256[:8]}, found at {files.folder}"
