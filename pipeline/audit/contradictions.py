"""One recording under two classes: at least one of its labels is wrong."""

from collections.abc import Sequence

from pipeline.audit.finding import Entry, splits_of
from pipeline.protocol.findings import Finding


def find_contradictions(
    identical: Sequence[Sequence[Entry]], copies: Sequence[Sequence[Entry]]
) -> list[Finding]:
    """One warning per recording that has several classes.

    Args:
        identical: groups of clips with the same bytes.
        copies: groups of clips with matching fingerprints.
    """
    findings = []
    groups = [(group, "hold the same bytes") for group in identical]
    groups += [(group, "have matching fingerprints") for group in copies]
    for group, what in groups:
        of_label = {entry.label: entry for entry in reversed(group)}
        if len(of_label) > 1:
            claims = " and ".join(f"{of_label[label].clip_id} ({label})" for label in sorted(of_label))
            ids = [entry.clip_id for entry in group]
            detail = f"{claims} {what}, but are of different classes; correct or remove one"
            findings.append(Finding("label-contradiction", "warning", splits_of(group), ids, detail))
    return findings
