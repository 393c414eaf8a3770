"""Retakes: the same sentence by the same speaker in two splits.

Speaker-independent splits have none. In a random split, the network may recognise the speaker's rendering of the
sentence instead of the emotion; in RAVDESS, for example, each actor speaks two sentences thirty times each. The check
needs a corpus that gives the sentence of each clip.
"""

from collections.abc import Sequence
from itertools import combinations

from featurize.errors import counted
from pipeline.audit.finding import Entry
from pipeline.protocol.findings import Finding
from pipeline.protocol.split_params import SPLITS

EXAMPLES = 10
"""Clips that a finding lists."""


def find_retakes(entries: Sequence[Entry]) -> list[Finding]:
    """One note per pair of splits: how many clips of the later split repeat a sentence of the earlier one."""
    known = [entry for entry in entries if entry.clip.sentence and entry.clip.speaker]
    members = {split: [entry for entry in known if entry.split == split] for split in SPLITS}
    findings = []
    for earlier, later in combinations(SPLITS, 2):
        sentences = {_sentence(entry) for entry in members[earlier]}
        repeated = [entry for entry in members[later] if _sentence(entry) in sentences]
        if not repeated:
            continue
        labelled = {(*_sentence(entry), entry.label) for entry in members[earlier]}
        of = f"of {counted(len(members[later]), f'{later} clip')} "
        same_class = sum((*_sentence(entry), entry.label) in labelled for entry in repeated)
        detail = (
            f"{counted(len(repeated), of + 'repeats', of + 'repeat')} a sentence that their speaker also "
            f"speaks in {earlier}, {same_class} of them in the same class"
        )
        ids = [entry.clip_id for entry in repeated[:EXAMPLES]]
        findings.append(Finding("retake", "note", [earlier, later], ids, detail))
    return findings


def _sentence(entry: Entry) -> tuple[str, str, str]:
    return entry.clip.corpus, entry.clip.speaker, entry.clip.sentence
