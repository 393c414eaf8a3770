"""The types of audit.json: the findings of the leak audit."""

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
    "sentence-overlap",
    "row-repeated",
    "doubled-tree",
]
Severity = Literal["stop", "warning", "note"]


@dataclass(frozen=True)
class Finding:
    """One finding of the audit."""

    kind: Kind
    severity: Severity
    """`stop`: scores would be invalid, so no manifest is written; `warning`: check it; `note`: information."""
    splits: list[str]
    """Affected splits, in the order train, val, test."""
    clips: list[str]
    """Ids of affected clips; a finding over many clips lists only the first."""
    detail: str
    """The message, in one line."""


class Audit(BaseModel, frozen=True, extra="forbid"):
    """The content of audit.json."""

    params: dict[str, bool | float]
    """The block `audit` of params.yaml."""
    clips: int = Field(ge=0)
    """Number of clips checked."""
    fingerprinted: int = Field(ge=0)
    """Number of clips whose fingerprints were compared."""
    findings: list[Finding]
    """The most severe first."""
