"""Which pictures a run has, and under which titles they stand."""

from dataclasses import dataclass

from pipeline.report.pictures.confusion import draw_confusion
from pipeline.report.pictures.curves import draw_curves
from pipeline.report.pictures.noise_levels import draw_robustness
from pipeline.report.pictures.reliability import draw_reliability, draw_risk_coverage
from pipeline.report.pictures.speakers import draw_speakers
from pipeline.report.tables import Group
from pipeline.runs.evaluation import Robustness
from pipeline.runs.results import Run

CURVE_TITLES = {"loss": "Loss", "uar": "UAR", "lr": "Learning rate"}  # these first, in this order


@dataclass(frozen=True)
class Charts:
    """SVG elements; an empty one where the run does not tell the numbers."""

    confusion: str
    reliability: str
    risk_coverage: str
    speakers: str
    curves: list[tuple[str, str]]
    robustness: list[tuple[str, str]]


def draw_charts(run: Run, speakers: list[Group]) -> Charts:
    """Every picture of the page but the clips'."""
    metrics = run.metrics
    chance = 1 / len(metrics.labels)
    return Charts(
        confusion=draw_confusion(metrics.labels, metrics.confusion),
        reliability=draw_reliability(metrics.calibration.bins) if metrics.calibration else "",
        risk_coverage=draw_risk_coverage(metrics.risk_coverage.points) if metrics.risk_coverage else "",
        speakers=draw_speakers(
            [group.name for group in speakers],
            [group.gender for group in speakers],
            [group.uar for group in speakers],
            overall=metrics.uar,
            chance=chance,
        ),
        curves=_draw_training(run),
        robustness=_draw_robustness(run.robustness, chance) if run.robustness else [],
    )


def _draw_training(run: Run) -> list[tuple[str, str]]:
    """Title and picture of every training curve."""
    known = [name for name in CURVE_TITLES if name in run.curves]
    pictures = []
    for name in (*known, *sorted(set(run.curves) - set(known))):
        by_split = run.curves[name]
        title = CURVE_TITLES.get(name, name)
        is_uar = name == "uar"
        chance = 1 / len(run.metrics.labels) if is_uar else None
        pictures.append((title, draw_curves(by_split, title, chance=chance, mark_best=is_uar)))
    return pictures


def _draw_robustness(found: Robustness, chance: float) -> list[tuple[str, str]]:
    """UAR and calibration error over the signal-to-noise ratio."""
    points = found.points
    pictures = [
        ("UAR", draw_robustness([p.snr_db for p in points], [p.uar for p in points], "UAR", chance=chance))
    ]
    with_ece = [(point.snr_db, point.ece) for point in points if point.ece is not None]
    if with_ece:
        snrs, errors = zip(*with_ece, strict=True)
        pictures.append(
            ("Expected calibration error", draw_robustness(snrs, errors, "Expected calibration error"))
        )
    return pictures
