"""`ser robustness`: score a checkpoint on the test clips with added noise, through the whole of its Tier 0."""

import contextlib
import hashlib
import logging
import math
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import pandas as pd
import torch
from numpy.typing import NDArray
from rich.console import Console
from rich.table import Table
from torch import Tensor

from featurize.atomic import write_json, write_text
from featurize.audio import SAMPLE_RATE, dequantise, load_audio, quantise
from featurize.denoise import denoise_clips
from featurize.errors import AudioError, SerError, SplitError, counted
from featurize.noise import NoiseFolder, add_noise
from featurize.vad_network import InputSpeech, input_speech
from model.batches import Features
from model.logits import predict_logits
from model.scoring.confidence import score_calibration
from model.scoring.metrics import compute_metrics
from model.views import Clips, View
from pipeline.extraction.clip_audio import Recordings
from pipeline.inference.predict import Predictor
from pipeline.progress import Advance, clip_progress
from pipeline.protocol.card import Card
from pipeline.protocol.data_card import read_training_card, require_match, training_overlap
from pipeline.protocol.manifest_file import read_manifest
from pipeline.protocol.manifest_summary import read_summary
from pipeline.runs.evaluation import Robustness, RobustnessPoint
from pipeline.runs.workspace import ROBUSTNESS

log = logging.getLogger(__name__)

SNRS_DB = (20.0, 10.0, 5.0, 0.0, -5.0)
SCORES = ("uar", "accuracy", "nll", "ece")


def robustness(
    checkpoint: Path,
    data: Path,
    reports: Path,
    noise: Path,
    snrs_db: Sequence[float] = SNRS_DB,
    seed: int = 0,
    weights: str | None = None,
    device: str = "cpu",
    encoder: str | None = None,
) -> Robustness:
    """Score a checkpoint on the test clips of data/manifest.csv as they are, and with noise at each SNR.

    Every clip gets the same noise excerpt at every SNR, scaled. Writes reports/robustness/robustness.json and, for
    `dvc plots`, robustness.csv beside it; prints the scores.

    Raises:
        CheckpointError: there is no checkpoint, or it was trained for other data than the manifest's.
        WeightsError: its denoiser's weights are not available.
        CorpusError: the manifest cannot be read.
        ParamsError: the noise, or a recording of it, cannot be used.
        SplitError: no test clip, or none that can be used.
    """
    folder = NoiseFolder(noise, "--noise")
    clips, protocol = _test_clips(data)
    predictor = Predictor(checkpoint, weights=weights, device=device, encoder=encoder)
    card = read_training_card(checkpoint, predictor.args)
    require_match(checkpoint, card, protocol, "clips")
    scorer = _Scorer(predictor, clips, folder, seed)
    # Loudest noise first, clean clips last: an unusable noise recording raises its error at once.
    levels: list[float | None] = [*sorted(set(snrs_db)), None]
    with clip_progress("robustness", len(clips) * len(levels)) as advance:
        points = [scorer.point(snr_db, advance) for snr_db in levels][::-1]
    denoiser = {"trained_on": predictor.denoiser.trained_on}
    overlap = training_overlap(denoiser, ((clip["corpus"], clip["speaker"]) for clip in clips))
    result = Robustness(
        checkpoint=checkpoint.name,
        protocol=card.model_copy(update={"denoiser_heard_test_speakers": overlap}),
        noise=f"{folder}, seed {seed}",
        points=points,
    )
    file = reports / ROBUSTNESS
    write_json(file, result.model_dump(mode="json"))
    write_text(file.with_suffix(".csv"), _curve(points).to_csv(index=False, lineterminator="\n"))
    _show(result)
    return result


def parse_snrs(text: str) -> list[float]:
    """Parse numbers in dB, separated by commas.

    Raises:
        SerError: one of them is not a number.
    """
    try:
        snrs_db = [float(part) for part in text.split(",")]
    except ValueError:
        snrs_db = [math.nan]
    if not np.isfinite(snrs_db).all():
        raise SerError(f"--snr {text}: give numbers in dB separated by commas, such as 20,10,0,-5")
    return snrs_db


def generator_of(clip_id: str, seed: int) -> np.random.Generator:
    """The generator that draws a clip's noise: seeded by clip and seed, so the noise is the same at every level."""
    digest = hashlib.sha256(f"{seed}/{clip_id}".encode(errors="surrogateescape")).digest()
    return np.random.default_rng(int.from_bytes(digest[:8]))


def _test_clips(data: Path) -> tuple[list[dict[str, str]], Card]:
    """Manifest rows of the test split, and the manifest's card."""
    manifest = read_manifest(data / "manifest.csv")
    rows = manifest[manifest["split"] == "test"].to_dict("records")
    if not rows:
        raise SplitError(f"{data / 'manifest.csv'}: no test clips; see `split` in params.yaml")
    clips = [{str(name): str(value) for name, value in row.items()} for row in rows]
    return clips, read_summary(data / "manifest.json").protocol


class _Scorer:
    """Scores one network with its Tier 0 on the test clips.

    Args:
        predictor: network and Tier 0.
        clips: manifest rows.
        noise: where the noise comes from.
        seed: of the noise excerpts.
    """

    def __init__(
        self, predictor: Predictor, clips: list[dict[str, str]], noise: NoiseFolder, seed: int
    ) -> None:
        self.predictor, self.clips, self.noise, self.seed = predictor, clips, noise, seed

    def point(self, snr_db: float | None, advance: Advance) -> RobustnessPoint:
        """Score the clips at one SNR, or without noise (None).

        Raises:
            SplitError: no clip can be used.
        """
        rejected: list[AudioError] = []
        kept = self._denoised(snr_db, rejected, advance)
        features: dict[int, dict[View, NDArray[np.float32]]] = {}
        with _one_thread():
            for index in sorted(kept):
                try:
                    features[index] = self.predictor.views_of(*kept[index])
                except AudioError as error:
                    rejected.append(error)
        level = "without noise" if snr_db is None else f"at {snr_db:g} dB"
        if not features:
            raise SplitError(f"no test clip {level} can be used; the first: {rejected[0]}")
        if rejected:
            log.warning(
                "%d of %s %s rejected; the first: %s",
                len(rejected),
                counted(len(self.clips), "clip"),
                level,
                rejected[0],
            )
        return self._score(snr_db, features)

    def _denoised(
        self, snr_db: float | None, rejected: list[AudioError], advance: Advance
    ) -> dict[int, tuple[Tensor, InputSpeech | None]]:
        """Add noise, denoise, round to 16 bits: waveform, input's speech; append errors to `rejected`."""
        before: dict[int, InputSpeech] = {}

        def noisy() -> Iterator[tuple[int, Tensor]]:
            for index, clip in enumerate(self.clips):
                try:
                    with recordings.open(clip) as recording:
                        load = self.predictor.tier0_params.load
                        waveform = load_audio(recording.path, **recording.part, params=load)
                except AudioError as error:
                    rejected.append(error)
                    continue
                if snr_db is not None:
                    noise = self.noise.draw(len(waveform), generator_of(clip["clip_id"], self.seed))
                    waveform = torch.from_numpy(add_noise(waveform.numpy(), noise, snr_db))
                if not self.predictor.denoiser.bypasses(waveform):
                    before[index] = input_speech(waveform, self.predictor.vad)
                yield index, waveform

        kept = {}
        with Recordings(self.clips) as recordings:
            for index, denoised, _ in denoise_clips(noisy(), self.predictor.denoiser):
                advance(len(denoised) / SAMPLE_RATE)
                if torch.isfinite(denoised).all():
                    kept[index] = dequantise(*quantise(denoised)), before.get(index)
                else:
                    path = self.clips[index]["path"]
                    rejected.append(AudioError("non-finite", "the denoiser returned NaN or infinity", path))
        return kept

    def _score(
        self, snr_db: float | None, features: dict[int, dict[View, NDArray[np.float32]]]
    ) -> RobustnessPoint:
        labels = self.predictor.labels
        truth = np.array([labels.index(self.clips[index]["label"]) for index in features], dtype=np.int64)
        names = ("clip_id", "corpus", "speaker")
        columns = {name: np.array([self.clips[index][name] for index in features]) for name in names}
        views: dict[View, Clips] = {
            view: [of_clip[view] for of_clip in features.values()] for view in self.predictor.clip_views.views
        }
        split = Features(views, truth, columns)
        logits = predict_logits(self.predictor.network, split, device=self.predictor.device)
        metrics = compute_metrics(truth, logits.argmax(dim=1).numpy(), labels)
        confidence = score_calibration(logits.numpy(), truth)
        return RobustnessPoint(
            snr_db=snr_db,
            n_clips=len(features),
            uar=metrics.uar,
            accuracy=metrics.accuracy,
            nll=confidence.nll,
            ece=confidence.ece,
        )


@contextlib.contextmanager
def _one_thread() -> Iterator[None]:
    """Run torch on one thread: voice activity detection and MFCC are too small to gain from more."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(before)


def _curve(points: Sequence[RobustnessPoint]) -> pd.DataFrame:
    """One row per SNR, with the UAR of the clean clips in a column for a second line in the plot."""
    table = pd.DataFrame([dict(point) for point in points])[["snr_db", *SCORES]]
    return table[1:].assign(clean_uar=points[0].uar)


def _show(result: Robustness) -> None:
    table = Table("SNR", "clips", "UAR", "accuracy", "NLL", "ECE", box=None, pad_edge=False)
    for column in table.columns:
        column.justify = "right"
    for point in result.points:
        level = "clean" if point.snr_db is None else f"{point.snr_db:g} dB"
        table.add_row(level, str(point.n_clips), *(f"{getattr(point, name):.3f}" for name in SCORES))
    console = Console()
    console.print(f"{result.checkpoint}; noise: {result.noise}", highlight=False, markup=False)
    console.print(table, highlight=False)
