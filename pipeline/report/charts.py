"""The charts of a run and their titles."""

from collections.abc import Sequence
from dataclasses import dataclass

from model.affect import DIMENSIONS
from pipeline.report.pictures.confusion import draw_confusion
from pipeline.report.pictures.curves import draw_curves
from pipeline.report.pictures.noise_levels import draw_robustness
from pipeline.report.pictures.reliability import draw_reliability, draw_risk_coverage
from pipeline.report.pictures.speakers import draw_speakers
from pipeline.runs.evaluation import Robustness, SpeakerScore
from pipeline.runs.workspace import Workspace

CURVE_TITLES = {"loss": "Loss", "uar": "UAR", "lr": "Learning rate"}
CURVE_TITLES |= {f"ccc_{name}": f"CCC of {name}" for name in DIMENSIONS}
"""Titles of the known metrics, which come first and in this order."""


@dataclass(frozen=True)
class Charts:
    """The charts of the page as SVG elements."""

    confusion: str
    reliability: str
    risk_coverage: str
    speakers: str
    """UAR by speaker; empty where the corpus names no speakers."""
    curves: list[tuple[str, str]]
    """Title and SVG of each training curve; empty where there are none."""
    robustness: list[tuple[str, str]]
    """Title and SVG of each measure under noise; empty where `ser robustness` has not run."""


def draw_charts(workspace: Workspace, speakers: Sequence[SpeakerScore]) -> Charts:
    """Draw all charts of the page, except those of single clips; speakers keep the given order."""
    scores = workspace.run.evaluation
    chance = 1 / len(scores.labels)
    return Charts(
        confusion=draw_confusion(scores.labels, scores.confusion),
        reliability=draw_reliability(scores.calibration.bins),
        risk_coverage=draw_risk_coverage(scores.risk_coverage.points),
        speakers=_draw_speakers(speakers, scores.uar, chance) if speakers else "",
        curves=_draw_training(workspace),
        robustness=_draw_robustness(workspace.robustness, chance) if workspace.robustness else [],
    )


def _draw_speakers(speakers: Sequence[SpeakerScore], overall: float, chance: float) -> str:
    """UAR of each speaker."""
    return draw_speakers(
        [each.speaker for each in speakers],
        [each.gender or "unknown" for each in speakers],
        [each.uar for each in speakers],
        overall=overall,
        chance=chance,
    )


def _draw_training(workspace: Workspace) -> list[tuple[str, str]]:
    """Title and picture of every training curve."""
    known = [name for name in CURVE_TITLES if name in workspace.curves]
    pictures = []
    for name in (*known, *sorted(set(workspace.curves) - set(known))):
        by_split = workspace.curves[name]
        title = CURVE_TITLES.get(name, name)
        is_uar = name == "uar"
        chance = 1 / len(workspace.run.evaluation.labels) if is_uar else None
        pictures.append((title, draw_curves(by_split, title, chance=chance, mark_best=is_uar)))
    return pictures


def _draw_robustness(found: Robustness, chance: float) -> list[tuple[str, str]]:
    """UAR and calibration error over the signal-to-noise ratio."""
    points = found.points
    snrs = [point.snr_db for point in points]
    error = "Expected calibration error"
    return [
        ("UAR", draw_robustness(snrs, [point.uar for point in points], "UAR", chance=chance)),
        (error, draw_robustness(snrs, [point.ece for point in points], error)),
    ]
