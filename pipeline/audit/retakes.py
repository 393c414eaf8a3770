"""Retakes: the same sentence by the same speaker in two splits.

Between speaker-independent splits there can be none. In a random split there are, and a network may then recognise
the sentence as its speaker says it rather than the emotion: known of RAVDESS, whose actors say two sentences thirty
times each. Only where the corpus tells which sentence a clip holds.
"""

from collections.abc import Sequence
from itertools import combinations

from pipeline.audit.finding import Entry
from pipeline.protocol.findings import Finding
from pipeline.protocol.splits import SPLITS

EXAMPLES = 10


def find_retakes(entries: Sequence[Entry]) -> list[Finding]:
    """One note per pair of splits, with the number of clips of the later one that repeat one of the earlier."""
    known = [entry for entry in entries if entry.clip.sentence and entry.clip.speaker]
    members = {split: [entry for entry in known if entry.split == split] for split in SPLITS}
    findings = []
    for one, other in combinations(SPLITS, 2):
        said = {_sentence(entry) for entry in members[one]}
        repeated = [entry for entry in members[other] if _sentence(entry) in said]
        if not repeated:
            continue
        alike = {(*_sentence(entry), entry.label) for entry in members[one]}
        same_class = sum((*_sentence(entry), entry.label) in alike for entry in repeated)
        detail = (
            f"{len(repeated)} of {len(members[other])} {other} clips repeat a sentence that their speaker also "
            f"says in {one}, {same_class} of them in the same class"
        )
        ids = [entry.clip_id for entry in repeated[:EXAMPLES]]
        findings.append(Finding("retake", "note", [one, other], ids, detail))
    return findings


def _sentence(entry: Entry) -> tuple[str, str, str]:
    return entry.clip.corpus, entry.clip.speaker, entry.clip.sentence
