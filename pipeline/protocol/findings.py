"""audit.json: what the leak audit found in a corpus and its split."""

from dataclasses import dataclass
from typing import Literal

from pydantic import BaseModel, Field

Kind = Literal[
    "speaker-overlap",
    "identical-bytes",
    "near-identical",
    "label-contradiction",
    "speaker-label",
    "missing-class",
    "similar-speakers",
    "overlap",
    "retake",
    "doubled-tree",
]
Severity = Literal["stop", "warning", "note"]


@dataclass(frozen=True)
class Finding:
    """One thing that the audit found."""

    kind: Kind
    severity: Severity
    """`stop`: no score may stand on it; `warning`: look at it; `note`: good to know."""
    splits: list[str]
    """Those concerned, in the order train, val, test."""
    clips: list[str]
    """Ids of the clips concerned; of a summarised finding, the first of them."""
    detail: str
    """One line for people."""


class Audit(BaseModel, frozen=True, extra="forbid"):
    """What audit.json holds."""

    params: dict[str, bool | float]
    """What was looked for: the block `audit` of params.yaml."""
    clips: int = Field(ge=0)
    fingerprinted: int = Field(ge=0)
    """Clips whose sound was compared."""
    findings: list[Finding]
    """The worst first."""
