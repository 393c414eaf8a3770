"""Stage card: the model card, written from the metadata of the weights file and the table of the evaluation."""

import json
from pathlib import Path
from typing import Any

from recipes.compact_denoiser.evaluate import OUT
from recipes.compact_denoiser.export import WEIGHTS, load, sha256
from recipes.compact_denoiser.stage import stage

TEMPLATE = """# Compact denoiser

`Demucs(**args)` of the package `denoiser` (Défossez et al., 2020), trained from scratch by
`recipes/compact_denoiser`. 16 kHz, one channel, causal, {parameters:.2f} million parameters,
float16 on disk ({megabytes:.1f} MB).

| | |
|---|---|
| SHA-256 | `{sha256}` |
| date, commit | {date}, `{git}` |
| arguments | `{args}` |
| training | {step:.0f} steps, {audio_h:.0f} h of mixtures, {minutes:.0f} min on a CPU |

## Scores
These speakers and noise classes were in neither training nor validation. SNR is the power of the active speech over
the power of the noise; SI-SDR is over the whole clip, "over speech" over its active frames only.

{table}
## Data
Training data: {train_speech_h:.2f} h of speech, {train_noise_h:.2f} h of noise.

- speakers: {train_speakers}
- noises: {train_noises}, and synthetic coloured noise

Used to choose the checkpoint: {val_speakers}; {val_noises}.
Used for the scores above: {test_speakers}; {test_noises}.

Emotion scores on the training speakers are not strictly speaker-independent if their clips were denoised with these
weights: the denoiser was trained on their voices, though without labels.

Licences: {licences}. The most restrictive of them applies to the weights.

## Reproduction
`dvc repro` in `recipes/compact_denoiser`, with the folders of the data in `params.yaml` or set with `-S`.
"""


def card(weights: Path, table: str) -> str:
    """Weights file and evaluation table → Markdown. Raises WeightsError."""
    network, metadata = load(weights)
    data: dict[str, Any] = json.loads(metadata["data"])
    training: dict[str, Any] = json.loads(metadata["training"])
    parts = {
        f"{split}_{key}": ", ".join(value) if isinstance(value, list) else value
        for split in ("train", "val", "test")
        for key, value in data[split].items()
    }
    return TEMPLATE.format(
        parameters=sum(weight.numel() for weight in network.parameters()) / 1e6,
        megabytes=weights.stat().st_size / 1e6,
        sha256=sha256(weights),
        table=table,
        licences=", ".join(f"{name} {licence}" for name, licence in data["licences"].items()),
        **{key: metadata[key] for key in ("date", "git", "args")},
        **{key: training[key] for key in ("step", "audio_h", "minutes")},
        **parts,
    )


@stage
def main() -> None:
    """Write out/compact.md."""
    (OUT / "compact.md").write_text(card(WEIGHTS, (OUT / "table.md").read_text()))


if __name__ == "__main__":
    main()
