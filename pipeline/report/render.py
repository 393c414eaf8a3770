"""A run as one self-contained HTML page.

The page loads nothing from the network and holds no date: the same input gives the same bytes. Text from file names
and tables is escaped. The content security policy allows only the page's own script and style sheet, by their hashes,
and images and audio from data URIs.
"""

import base64
import hashlib
from importlib.resources import files
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from pipeline.report import words
from pipeline.report.charts import draw_charts
from pipeline.report.mistakes import MAX_SOUND_S, Mistake
from pipeline.report.pictures.sound import HEIGHT, WIDTH
from pipeline.report.player import make_players
from pipeline.report.protocol_table import is_stale, protocol_table, small_print
from pipeline.report.tables import audio_table, clip_table, silence_table, uneven
from pipeline.report.yardstick import against_baseline
from pipeline.runs.workspace import Workspace

FILTERS = (
    words.score,
    words.interval,
    words.percent,
    words.count,
    words.place,
    words.duration,
    words.sentence,
)
SEVERITIES = {"stop": "Stop", "warning": "Warning", "note": "Note"}
"""Captions of the severities, the most severe first."""


def render(workspace: Workspace, mistakes: list[Mistake]) -> str:
    """The page, as HTML text."""
    environment = Environment(
        loader=PackageLoader("pipeline.report"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {function.__name__: function for function in FILTERS}
    page = environment.get_template("page.html").render(
        **_scores(workspace), **_data(workspace), **_inline(), players=make_players(mistakes), max_sound_s=MAX_SOUND_S,
        track=(WIDTH, HEIGHT),
    )  # fmt: skip
    # A name may hold half of a surrogate pair, which UTF-8 cannot encode.
    return page.encode("utf-8", "replace").decode("utf-8")


def _scores(workspace: Workspace) -> dict[str, Any]:
    """The templates' variables that come from the evaluation."""
    metrics = workspace.run.evaluation
    speakers = sorted(metrics.speakers, key=lambda own: (own.uar, own.speaker))  # the lowest UAR first
    return {
        "metrics": metrics,
        "protocol": metrics.protocol,
        "card": protocol_table(workspace),
        "small_print": small_print(workspace),
        "is_stale": is_stale(workspace),
        "headline": words.headline(metrics),
        "uncertainty": words.uncertainty(metrics),
        "chance": 1 / len(metrics.labels),
        "majority": max(own.support for own in metrics.per_class.values()) / metrics.n_clips,
        "charts": draw_charts(workspace, speakers),
        "speakers": speakers,
        "genders": sorted(metrics.genders, key=lambda own: (own.uar, own.gender)),
        "robustness": workspace.robustness,
        "crosses": workspace.crosses,
        "against_baseline": against_baseline(workspace.run, workspace.baseline),
    }


def _data(workspace: Workspace) -> dict[str, Any]:
    """The templates' variables that come from the corpus."""
    findings = workspace.audit.findings if workspace.audit else []
    rank = list(SEVERITIES)
    return {
        "clips": clip_table(workspace),
        "audio": audio_table(workspace),
        "silence": (silence := silence_table(workspace)),
        "uneven": uneven(silence),
        "left_out": workspace.summary.left_out,
        "unlabelled": workspace.summary.unlabelled,
        "low_agreement": workspace.summary.low_agreement,
        "reasons": list(workspace.rejects.value_counts(["stage", "reason"], sort=False).items()),
        "rejects": workspace.rejects.to_dict("records"),
        "audit": workspace.audit,
        "findings": sorted(findings, key=lambda finding: rank.index(finding.severity)),
        "severities": SEVERITIES,
    }


def _inline() -> dict[str, Any]:
    """The style sheet and the script, with the hashes that the content security policy lists."""
    folder = files("pipeline.report") / "templates"
    inline: dict[str, Any] = {}
    for name, file in (("style", "page.css"), ("script", "page.js")):
        text = (folder / file).read_text(encoding="utf-8")
        digest = base64.b64encode(hashlib.sha256(text.encode("utf-8")).digest()).decode("ascii")
        inline |= {name: Markup(text), f"{name}_hash": f"sha256-{digest}"}  # noqa: S704  the package's own file
    return inline
