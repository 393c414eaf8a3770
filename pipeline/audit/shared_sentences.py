"""Sentences that are spoken in two splits, by whichever speakers.

This is information: acted corpora have few sentences, and every split of them shares some.
"""

from collections.abc import Sequence
from itertools import combinations

from featurize.errors import counted
from pipeline.audit.finding import Entry
from pipeline.protocol.findings import Finding
from pipeline.protocol.split_params import SPLITS


def find_shared_sentences(entries: Sequence[Entry]) -> list[Finding]:
    """One note per pair of splits: how many clips of the later one have a sentence of the earlier one."""
    clips = {
        split: [entry for entry in entries if entry.split == split and entry.clip.sentence]
        for split in SPLITS
    }
    findings = []
    for earlier, later in combinations(SPLITS, 2):
        spoken = {entry.clip.sentence for entry in clips[earlier]}
        repeated = [entry for entry in clips[later] if entry.clip.sentence in spoken]
        if repeated:
            of = f"of {counted(len(clips[later]), f'{later} clip')} "
            have = counted(len(repeated), of + "has", of + "have")
            sentences = counted(len({entry.clip.sentence for entry in repeated}), "sentence")
            detail = f"{have} a sentence of {earlier} ({sentences})"
            ids = [entry.clip_id for entry in repeated[:10]]
            findings.append(Finding("sentence-overlap", "note", [earlier, later], ids, detail))
    return findings
