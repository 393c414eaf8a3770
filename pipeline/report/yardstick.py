"""The network against the baseline, in words."""

from dataclasses import dataclass

from featurize.errors import ProtocolError, counted
from model.baseline.baseline_params import OPENSMILE
from pipeline.protocol.card import ScoringCard
from pipeline.report.words import score, sentence
from pipeline.runs.compare import ALPHA, Comparison, compare_runs
from pipeline.runs.evaluated_run import Run


@dataclass(frozen=True)
class AgainstBaseline:
    """The comparison as text."""

    text: str
    not_better: bool
    """The network's UAR is not above that of a baseline on the same view."""


def against_baseline(run: Run, baseline_run: Run | None) -> AgainstBaseline | None:
    """Compare the network with the baseline; None where there is none."""
    if baseline_run is None:
        return None
    try:
        found = compare_runs(baseline_run, run)
    except ProtocolError as error:
        return AgainstBaseline(f"{sentence(str(error))} Run ser baseline again.", not_better=False)
    baseline, network = found.first.evaluation, found.second.evaluation
    same_view = baseline.protocol.views == network.protocol.views
    parts = [
        f"The baseline, {_describe(baseline.params.get('baseline', {}))} of "
        f"{'the same view' if same_view else 'another view'} ({', '.join(baseline.protocol.views)}), "
        f"has a UAR of {score(baseline.uar)}, the network {score(network.uar)}: {_verdict(found)}.",
        _differing(baseline.protocol, network.protocol),
    ]
    return AgainstBaseline(" ".join(filter(None, parts)), same_view and found.uar.difference <= 0)


def _describe(params: dict[str, object]) -> str:
    name = {"logistic": "logistic regression", "svm": "a linear SVM"}.get(
        str(params.get("classifier")), "linear"
    )
    functionals = params.get("functionals")
    if params.get("view") in OPENSMILE:
        return f"{name} on openSMILE's functionals"
    return f"{name} on {', '.join(map(str, functionals))}" if isinstance(functionals, list) else name


def _verdict(found: Comparison) -> str:
    """Which one is better, with the p of the swap test."""
    uar = found.uar
    points = f"{100 * abs(uar.difference):.1f} points"
    p = uar.note if uar.p is None else f"p = {uar.p:.2g}, {counted(uar.speakers, 'speaker')}"
    sure = uar.p is not None and uar.p < ALPHA
    if uar.difference <= 0:
        behind = f"it is behind by {points}" if uar.difference else "both are equal"
        chance = "" if sure or not uar.difference else ", which may be chance"
        return f"the network is not better; {behind}{chance} ({p})"
    if sure:
        return f"the network is better by {points} ({p})"
    return f"the network is ahead by {points}, which may be chance ({p}): this run does not show that it is better"


def _differing(baseline: ScoringCard, network: ScoringCard) -> str:
    """A warning where not the model alone differs."""
    pairs = {
        "views": (", ".join(baseline.views), ", ".join(network.views)),
        "normalisation": (baseline.normalisation, network.normalisation),
    }
    others = [f"{name} {a} and {b}" for name, (a, b) in pairs.items() if a != b]
    return f"More than the model differs: {'; '.join(others)}." if others else ""
