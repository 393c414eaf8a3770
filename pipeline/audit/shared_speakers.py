"""Speakers in more than one split: the network may recognise the voice instead of the emotion."""

from collections import defaultdict
from collections.abc import Sequence

from featurize.errors import counted
from pipeline.audit.finding import Entry, splits_of
from pipeline.protocol.findings import Finding, Severity
from pipeline.protocol.folds import some


def find_shared_speakers(entries: Sequence[Entry], *, by_choice: bool) -> list[Finding]:
    """One finding for all speakers that are in two splits, and one for all clips without a speaker.

    Args:
        entries: the clips.
        by_choice: the user chose a speaker-dependent split: shared speakers are a warning, not a stop.
    """
    clips: dict[str, dict[str, Entry]] = defaultdict(dict)  # speaker → split → first clip
    for entry in entries:
        clips[entry.clip.speaker].setdefault(entry.split, entry)
    clips.pop("", None)
    shared = {speaker: first for speaker, first in sorted(clips.items()) if len(first) > 1}
    findings = []
    if shared:
        examples = [entry for first in shared.values() for entry in first.values()]
        are = counted(len(shared), "speaker is", "speakers are")
        todo = "every score is stamped speaker-dependent" if by_choice else "split by speaker instead"
        detail = f"{are} in two splits: {some(list(shared))} (such as {_such_as(examples)}); {todo}"
        ids = [entry.clip_id for entry in examples]
        severity: Severity = "warning" if by_choice else "stop"
        findings.append(Finding("speaker-overlap", severity, splits_of(examples), ids, detail))
    unknown = [entry for entry in entries if not entry.clip.speaker]
    if unknown:
        of = f"of {counted(len(entries), 'clip')} "
        detail = (
            f"{counted(len(unknown), of + 'has', of + 'have')} no speaker (first: {unknown[0].clip_id}): "
            "whether speakers are in two splits cannot be checked"
        )
        ids = [entry.clip_id for entry in unknown[:5]]
        findings.append(Finding("speaker-overlap", "warning", splits_of(unknown), ids, detail))
    return findings


def _such_as(examples: Sequence[Entry]) -> str:
    return " and ".join(f"{entry.clip_id} in {entry.split}" for entry in examples[:2])
