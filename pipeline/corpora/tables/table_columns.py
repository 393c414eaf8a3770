"""The header of a user's table → fields, by the column names in the README and those of other tools."""

import difflib
import logging
import re
from collections.abc import Mapping, Sequence
from pathlib import Path

from featurize.decoders import ENDINGS
from featurize.errors import CorpusError
from pipeline.corpora.tables.table_cells import clean

log = logging.getLogger(__name__)

DOCUMENTED = {
    "path": ("file_path", "path"),
    "emotion": ("emotion_code", "label"),
    **{
        name: (name,)
        for name in (
            *("speaker", "gender", "age", "language", "session", "sentence", "text", "split", "start", "end"),
            *("valence", "arousal", "dominance", "intensity", "intended", "perceived"),
            *("votes", "raters", "agreement"),
        )
    },
}
"""Field → its column names in the README."""

_OTHERS = {
    "path": "file filename file_name filepath file_id fname wav wav_path wav_file wav_name wavfile audio audio_path "
    "audio_file audio_filepath audiofile audio_id recording sound",
    "emotion": "emotion emo emotions emotion_label emotion_name emotion_class emoclass class class_label class_name "
    "category labels",
    "speaker": "speaker_id speakerid spk spk_id spkid spkr spkr_id spkrid speaker_name talker actor actor_id subject "
    "subject_id participant participant_id client_id",
    "gender": "sex speaker_gender",
    "sentence": "sentence_id text_id",
    "text": "transcript transcription utterance spoken_text raw_text",
    "split": "dataset_split split_set subset partition set",
    "valence": "emoval",
    "arousal": "emoact activation",
    "dominance": "emodom",
    "intensity": "emotion_intensity emotion_level strength",
    "age": "speaker_age age_group",
    "language": "lang language_code locale",
    "session": "session_id dialogue_id dialogue dialog conversation_id conversation",
    "intended": "intended_emotion emotion_intended emotion_expressed acted_emotion target_emotion",
    "perceived": "perceived_emotion emotion_perceived",
    "votes": "emotion_votes label_votes vote_counts",
    "raters": "n_raters num_raters number_of_raters n_annotators num_annotators numresponses",
    "agreement": "emotion_agreement label_agreement emotion_confidence",
    "start": "start_s start_time start_sec begin begin_time onset",
    "end": "end_s end_time end_sec stop stop_time",
    "start_ms": "start_ms begin_ms",
    "end_ms": "end_ms stop_ms",
    "duration": "duration duration_s dur",
}
NAMES = {field: (*DOCUMENTED.get(field, ()), *others.split()) for field, others in _OTHERS.items()}
"""Field → all accepted names of its column, in order of preference."""
KNOWN = {name for names in NAMES.values() for name in names}
REQUIRED = ("path", "emotion")
"""Fields without which a table is not a corpus."""


def plain(name: str) -> str:
    """A column name in lower case, with _ between words."""
    return re.sub(r"[\s.\-]+", "_", clean(name).lower())


def choose_columns(table: Path, header: Sequence[str], required: Sequence[str] = REQUIRED) -> dict[str, int]:
    """Map each field of the table to the index of its column, and log the names that are not in the README.

    Raises:
        CorpusError: no column of a required field, no header, or a duplicate name.
    """
    names = [plain(name) for name in header]
    chosen: dict[str, int] = {}
    unread = []
    for field, accepted in NAMES.items():
        present = [name for name in accepted if name in names]
        if not present:
            continue
        if names.count(present[0]) > 1:
            raise CorpusError(f"{table}: two columns {present[0]!r}; remove or rename one")
        chosen[field] = names.index(present[0])
        unread += [f"{header[names.index(name)]} (column {present[0]} is used)" for name in present[1:]]
    for field in required:
        if field not in chosen:
            raise CorpusError(f"{table}: {_lacking(field, header)}")
    if "start" not in chosen and "start_ms" not in chosen:
        chosen.pop("duration", None)
    _log(table, header, chosen, unread)
    return chosen


def _lacking(field: str, header: Sequence[str]) -> str:
    if any(Path(cell).suffix.lower() in ENDINGS for cell in header):
        return (
            f"no header; its first row is {','.join(header)}; write file_path,emotion_code,speaker above it"
        )
    present = [name for name in header if name]
    wanted = " or ".join(repr(name) for name in DOCUMENTED[field])
    near = [match for name in NAMES[field] for match in difflib.get_close_matches(name, present, n=1)]
    hint = f"; is {near[0]!r} meant?" if near else ""
    return f"no column {wanted}; it has {', '.join(present)}{hint}"


def _log(table: Path, header: Sequence[str], chosen: Mapping[str, int], unread: Sequence[str]) -> None:
    renamed = [
        f"{header[index]} as {DOCUMENTED[field][0] if field in DOCUMENTED else field}"
        for field, index in chosen.items()
        if plain(header[index]) not in DOCUMENTED.get(field, ())
    ]
    if renamed or unread:
        left = f"; not read: {', '.join(unread)}" if unread else ""
        log.info("%s: columns read: %s%s", table, ", ".join(renamed) or "as documented", left)
