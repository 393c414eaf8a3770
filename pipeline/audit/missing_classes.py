"""Classes without clips in the test or the validation split."""

from collections.abc import Sequence

from pipeline.audit.finding import Entry
from pipeline.protocol.class_coverage import describe_missing, find_missing
from pipeline.protocol.findings import Finding
from pipeline.protocol.split_params import SPLITS


def find_missing_classes(
    entries: Sequence[Entry], remedy: str, among: Sequence[str] = SPLITS
) -> list[Finding]:
    """One warning for all classes that a split lacks.

    Args:
        entries: the clips.
        remedy: which parameters to set so that none is missing, in words; may be empty.
        among: the splits that are looked at.
    """
    missing = find_missing([entry.label for entry in entries], [entry.split for entry in entries], among)
    if not missing:
        return []
    detail = "; ".join(filter(None, [describe_missing(missing), remedy]))
    return [Finding("missing-class", "warning", [split for split in SPLITS if split in missing], [], detail)]
