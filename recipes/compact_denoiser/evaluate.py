"""Stage evaluate: scores of each denoiser on held-out speakers and noise classes."""

import json
import math
import multiprocessing
import os
from collections.abc import Callable, Iterable
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import noisereduce
import numpy as np
import pandas as pd
import torch
from pesq import NoUtterancesError, pesq
from pystoi import stoi

from featurize.audio import SAMPLE_RATE
from featurize.denoise import DenoiseParams, denoise_demucs, load_denoiser
from featurize.snr import FRAME, Samples, active_frames, scale_noise
from recipes.compact_denoiser.cache import CACHE
from recipes.compact_denoiser.data import Bank, open_banks
from recipes.compact_denoiser.export import WEIGHTS
from recipes.compact_denoiser.loss import si_sdr
from recipes.compact_denoiser.mixing import draw_noise
from recipes.compact_denoiser.params import EvaluateParams, load_recipe
from recipes.compact_denoiser.stage import stage

OUT = Path("out")
CLEAN = math.inf  # the SNR of clean speech

Denoise = Callable[[Samples], Samples]


@dataclass(frozen=True)
class Pair:
    """A held-out clip, and the held-out noise that is added to it at each SNR; both (num_samples,)."""

    path: str
    speaker: str
    noise: str
    clean: Samples
    background: Samples


def held_out_pairs(speech: Bank, noise: Bank, params: EvaluateParams) -> list[Pair]:
    """Random clips, each with a segment of noise; the noise classes alternate."""
    rng = np.random.default_rng(params.seed)
    pairs = []
    for number, row in enumerate(rng.permutation(len(speech))[: params.clips]):
        group = number % len(noise.rows_by_group)
        clean, clip = speech.clip(int(row)), speech.clips.iloc[row]
        background = draw_noise(noise, len(clean), rng, group)
        name = str(noise.clips["group"].iloc[noise.rows_by_group[group][0]])
        pairs.append(Pair(clip["path"], clip["group"], name, clean, background))
    return pairs


def load_systems(params: EvaluateParams, weights: Path) -> dict[str, Denoise]:
    """Name → function from noisy to denoised. `dns64` only if its weights are given."""

    def from_pipeline(params: DenoiseParams) -> Denoise:
        denoiser = load_denoiser(params)
        return lambda noisy: denoise_demucs(torch.from_numpy(noisy), denoiser=denoiser).numpy()

    systems: dict[str, Denoise] = {}
    for name in params.systems:
        if name == "none":
            systems[name] = lambda noisy: noisy
        elif name == "compact":
            systems[name] = from_pipeline(DenoiseParams(model=str(weights)))
        elif name == "noisereduce":  # its defaults, and the variant for steady noise
            systems[name] = from_pipeline(DenoiseParams(model=name))
            systems[f"{name} (stationary)"] = lambda noisy: noisereduce.reduce_noise(
                y=noisy, sr=SAMPLE_RATE, stationary=True
            )
        elif params.dns64_weights is not None:
            systems[name] = from_pipeline(DenoiseParams(model=name, weights=params.dns64_weights))
    return systems


def score(estimate: Samples, clean: Samples) -> dict[str, float]:
    """SI-SDR in dB over the clip and over its active frames, PESQ-WB (NaN if it finds no speech), STOI."""
    active = np.repeat(active_frames(clean), FRAME)
    whole = torch.from_numpy(np.stack([estimate, clean]).astype(np.float64))
    speech = whole[:, : len(active)][:, torch.from_numpy(active)]
    try:
        quality = float(pesq(SAMPLE_RATE, clean, estimate.astype(np.float32), "wb"))
    except NoUtterancesError:
        quality = math.nan
    return {
        "si_sdr_db": float(si_sdr(whole[0], whole[1])),
        "si_sdr_speech_db": float(si_sdr(speech[0], speech[1])),
        "pesq_wb": quality,
        "stoi": float(stoi(clean, estimate, SAMPLE_RATE)),
    }


def score_pair(
    pair: Pair, systems: dict[str, Denoise], snrs_db: Iterable[float]
) -> list[dict[str, float | str]]:
    """One row for each SNR and system; `gain` columns are relative to the noisy input."""
    rows: list[dict[str, float | str]] = []
    for snr_db in (*snrs_db, CLEAN):
        noisy = (
            pair.clean if snr_db == CLEAN else pair.clean + scale_noise(pair.clean, pair.background, snr_db)
        )
        before = score(noisy, pair.clean)
        for name, denoise in systems.items():
            after = before if name == "none" else score(denoise(noisy), pair.clean)
            gains = {f"{key}_gain": after[key] - before[key] for key in after}
            where: dict[str, float | str] = {
                "path": pair.path,
                "speaker": pair.speaker,
                "noise": pair.noise,
                "snr_db": snr_db,
                "system": name,
            }
            rows.append({**where, **after, **gains})
    return rows


_systems: dict[str, Denoise] = {}


def _start_worker(params: EvaluateParams, weights: Path) -> None:
    torch.set_num_threads(1)
    _systems.update(load_systems(params, weights))


def _score_in_worker(pair: Pair, params: EvaluateParams) -> list[dict[str, float | str]]:
    return score_pair(pair, _systems, params.snrs_db)


def evaluate(pairs: list[Pair], params: EvaluateParams, weights: Path, processes: int = 1) -> pd.DataFrame:
    """Scores of all pairs, one row for each clip, SNR and system."""
    systems = load_systems(params, weights)  # also with workers, so that a bad weights file is reported here
    if processes == 1:
        parts = [score_pair(pair, systems, params.snrs_db) for pair in pairs]
    else:
        context = multiprocessing.get_context("spawn")
        with ProcessPoolExecutor(processes, context, _start_worker, (params, weights)) as pool:
            parts = list(pool.map(_score_in_worker, pairs, [params] * len(pairs)))
    return pd.DataFrame([row for part in parts for row in part])


def summarise(scores: pd.DataFrame) -> pd.DataFrame:
    """Means over clips for each SNR and system, in the order of evaluation."""
    columns = ["si_sdr_db", "si_sdr_db_gain", "si_sdr_speech_db_gain", "pesq_wb", "stoi"]
    return scores.groupby(["snr_db", "system"], sort=False)[columns].mean().reset_index()


def table(summary: pd.DataFrame) -> str:
    """The summary as Markdown."""
    lines = [
        "| SNR (dB) | denoiser | SI-SDR (dB) | gain (dB) | gain over speech (dB) | PESQ-WB | STOI |",
        "|---:|---|---:|---:|---:|---:|---:|",
    ]
    for row in summary.itertuples():
        clean = row.snr_db == CLEAN
        untouched = clean and row.system == "none"
        sdr = "∞" if untouched else f"{row.si_sdr_db:.1f}"
        gains = "| | " if clean else f"| {row.si_sdr_db_gain:+.1f} | {row.si_sdr_speech_db_gain:+.1f} "
        snr = "clean" if clean else f"{row.snr_db:g}"
        lines.append(f"| {snr} | {row.system} | {sdr} {gains}| {row.pesq_wb:.2f} | {row.stoi:.3f} |")
    return "\n".join(lines) + "\n"


def table_by_noise(scores: pd.DataFrame, system: str, snr_db: float = 0.0) -> str:
    """The gain of one system for each noise class at one SNR, as Markdown."""
    rows = scores[(scores["system"] == system) & (scores["snr_db"] == snr_db)].groupby("noise")
    lines = [
        f"| noise at {snr_db:g} dB | clips | SI-SDR gain (dB) | PESQ-WB gain | STOI gain |",
        "|---|---:|---:|---:|---:|",
    ]
    for noise, part in rows:
        sdr, quality, clear = (part[f"{key}_gain"].mean() for key in ("si_sdr_db", "pesq_wb", "stoi"))
        lines.append(f"| {noise} | {len(part)} | {sdr:+.1f} | {quality:+.2f} | {clear:+.3f} |")
    return "\n".join(lines) + "\n"


def metrics(summary: pd.DataFrame) -> dict[str, dict[str, dict[str, float]]]:
    """System → SNR → measure, for `dvc metrics`; without the unprocessed clean clips, whose SI-SDR is infinite."""
    found: dict[str, dict[str, dict[str, float]]] = {}
    for row in summary.to_dict("records"):
        record = {str(key): value for key, value in row.items()}
        snr, system = record.pop("snr_db"), record.pop("system")
        if snr == CLEAN and system == "none":
            continue
        name = "clean" if snr == CLEAN else f"{snr:g}"
        kept = {
            key: round(value, 4) for key, value in record.items() if snr != CLEAN or not key.endswith("gain")
        }
        found.setdefault(system, {})[name] = kept
    return found


@stage
def main() -> None:
    """Evaluate out/compact.safetensors and the other systems; write scores.csv, table.md and metrics.json."""
    recipe = load_recipe()
    pairs = held_out_pairs(*open_banks(CACHE, recipe.split)["test"], recipe.evaluate)
    scores = evaluate(pairs, recipe.evaluate, WEIGHTS, os.cpu_count() or 1)
    summary = summarise(scores)
    scores.to_csv(OUT / "scores.csv", index=False, float_format="%.4f")
    (OUT / "table.md").write_text(table(summary) + "\n" + table_by_noise(scores, "compact"))
    (OUT / "metrics.json").write_text(json.dumps(metrics(summary), indent=2) + "\n")
    print((OUT / "table.md").read_text())


if __name__ == "__main__":
    main()
