"""Speakers who predict the label: a corpus in which most speakers have only one emotion.

A random split of such a corpus measures speaker recognition. A split by speaker does not, but the network may still
learn voices instead of emotions.
"""

from collections.abc import Sequence

from pipeline.audit.finding import Entry, splits_of
from pipeline.protocol.confounding import measure_confounding
from pipeline.protocol.findings import Finding


def find_speaker_labels(entries: Sequence[Entry], *, random: bool) -> list[Finding]:
    """One warning where the speaker alone predicts the label far better than the most frequent label does.

    Args:
        entries: the clips.
        random: the split assigns clips, not speakers.
    """
    measured = measure_confounding((entry.clip.speaker, entry.label) for entry in entries)
    if measured is None or not measured.is_strong:
        return []
    so = (
        "this random split measures speaker recognition; set split.method=speaker"
        if random
        else "a random split would measure speaker recognition, and training can learn voices in place of emotions"
    )
    detail = (
        f"the speaker alone gives the label of {measured.by_speaker:.0%} of the clips, the most frequent label is "
        f"that of {measured.by_majority:.0%}: {so}"
    )
    return [Finding("speaker-label", "warning", splits_of(entries), [], detail)]
