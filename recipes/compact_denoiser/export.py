"""Stage export: the best checkpoint as a weights file in half precision, with metadata."""

import hashlib
import json
import subprocess
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import torch
from denoiser.demucs import Demucs
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file

from featurize.demucs.weights import load_module
from featurize.errors import CheckpointError, WeightsError
from recipes.compact_denoiser.cache import CACHE
from recipes.compact_denoiser.data import Bank, open_banks
from recipes.compact_denoiser.network import build, constructor_args, edge
from recipes.compact_denoiser.params import NetworkParams, Recipe, load_recipe
from recipes.compact_denoiser.stage import stage
from recipes.compact_denoiser.train import OUT as CHECKPOINTS

WEIGHTS = Path("out/compact.safetensors")
FORMAT = "ser-compact-denoiser-1"


def sha256(path: Path) -> str:
    """SHA-256 of a file's bytes."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def data_card(banks: dict[str, tuple[Bank, Bank]], recipe: Recipe) -> dict[str, Any]:
    """Speakers, noise classes and hours of each split, and licences."""
    card: dict[str, Any] = {}
    for split, (speech, noise) in banks.items():
        card[split] = {
            "speakers": sorted(set(speech.clips["group"])),
            "noises": sorted(set(noise.clips["group"])),
            "speech_h": round(float(speech.clips["length"].sum()) / 16_000 / 3600, 3),
            "noise_h": round(float(noise.clips["length"].sum()) / 16_000 / 3600, 3),
        }
    sources = recipe.data.clean | recipe.data.noise
    card["licences"] = {name: source.licence for name, source in sources.items()}
    return card


def describe(
    recipe: Recipe, state: dict[str, Any], banks: dict[str, tuple[Bank, Bank]], cache: Path
) -> dict[str, str]:
    """The metadata of the weights file: strings, as the format requires, most of them JSON.

    `edge` is the number of samples of silence to add at both ends of a clip before the network, and to remove after it.
    """
    last = next(
        row for row in reversed(state["progress"]["history"]) if row["gain_db"] == state["progress"]["best"]
    )
    command, here = ["git", "rev-parse", "HEAD"], Path(__file__).parent
    commit = subprocess.run(command, cwd=here, capture_output=True, text=True, check=False).stdout.strip()
    params = NetworkParams(**state["args"])
    return {
        "format": FORMAT,
        "args": json.dumps(constructor_args(params)),
        "edge": str(edge(build(params))),
        "data": json.dumps(data_card(banks, recipe)),
        "data_sha256": json.dumps({kind: sha256(cache / f"{kind}.npy") for kind in ("speech", "noise")}),
        "training": json.dumps({"settings": recipe.train.model_dump(), **last}),
        "mix": json.dumps(recipe.mix.model_dump()),
        "date": datetime.now(UTC).date().isoformat(),
        "git": commit or "unknown",
    }


def export(
    checkpoint: Path, weights: Path, recipe: Recipe, banks: dict[str, tuple[Bank, Bank]], cache: Path
) -> None:
    """Write the averaged weights of a checkpoint as safetensors in float16, and a file with their SHA-256."""
    try:
        state = torch.load(checkpoint, weights_only=True)
        tensors = {name: tensor.half().contiguous() for name, tensor in state["average"].items()}
    except Exception as error:  # torch raises a different class for each kind of damage
        raise CheckpointError(
            f"{checkpoint}: cannot be read ({str(error).splitlines()[0]}); run train"
        ) from None
    weights.parent.mkdir(parents=True, exist_ok=True)
    temporary = weights.with_suffix(".tmp")
    save_file(tensors, temporary, describe(recipe, state, banks, cache))
    temporary.replace(weights)
    weights.with_suffix(".sha256").write_text(f"{sha256(weights)}  {weights.name}\n")


def load(weights: Path) -> tuple[Demucs, dict[str, str]]:
    """Weights file → network (float32, evaluation mode) and metadata. Raises WeightsError."""
    if not weights.is_file():
        raise WeightsError(f"{weights}: no such weights file; run the export stage")
    try:
        with safe_open(weights, "pt") as file:
            metadata = file.metadata() or {}
    except SafetensorError as error:
        raise WeightsError(f"{weights}: damaged or not a safetensors file ({error})") from None
    if metadata.get("format") != FORMAT:
        raise WeightsError(f"{weights}: format is {metadata.get('format')!r}, expected {FORMAT!r}")
    return load_module(str(weights), None).module, metadata


@stage
def main() -> None:
    """Export checkpoints/best.pt."""
    recipe = load_recipe()
    export(CHECKPOINTS / "best.pt", WEIGHTS, recipe, open_banks(CACHE, recipe.split), CACHE)
    print(f"{WEIGHTS}: {WEIGHTS.stat().st_size / 1e6:.2f} MB, sha256 {sha256(WEIGHTS)}")


if __name__ == "__main__":
    main()
