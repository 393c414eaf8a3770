"""Parameters of the audit; apart from the checks, so that reading params.yaml loads none of them."""

from typing import Annotated

from pydantic import BaseModel, Field

from featurize.fingerprint import THRESHOLD


class AuditParams(BaseModel, frozen=True, extra="forbid", use_attribute_docstrings=True):
    """The check for copies. The checks that need only the manifest always run."""

    fingerprint: bool = True
    """Decode every clip once and look for copies at other levels, formats and sample rates."""
    threshold: Annotated[float, Field(ge=0, lt=0.5)] = THRESHOLD
    """Share of differing bits up to which two clips are copies; retakes lie above 0.2."""
