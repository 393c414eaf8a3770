"""Which column of a user's table is what: our names, and those that other tools give to the same."""

import difflib
import logging
import re
from collections.abc import Mapping, Sequence
from pathlib import Path

from featurize.decoders import ENDINGS
from featurize.errors import CorpusError
from pipeline.corpora.table_cells import clean

log = logging.getLogger(__name__)

OWN = {
    "path": ("file_path", "path"),
    "emotion": ("emotion_code", "label"),
    **{
        name: (name,)
        for name in ("speaker", "gender", "sentence", "split", "valence", "arousal", "start", "end")
    },
}
"""Field → the names that README gives its column."""

_OTHERS = {
    "path": "file filename file_name filepath file_id fname wav wav_path wav_file wav_name wavfile audio audio_path "
    "audio_file audio_filepath audiofile audio_id recording sound",
    "emotion": "emotion emo emotions emotion_label emotion_name emotion_class emoclass class class_label class_name "
    "category labels",
    "speaker": "speaker_id speakerid spk spk_id spkid spkr spkr_id spkrid speaker_name talker actor actor_id subject "
    "subject_id participant participant_id client_id",
    "gender": "sex speaker_gender",
    "sentence": "text transcript transcription sentence_id text_id utterance",
    "split": "dataset_split split_set subset partition set",
    "valence": "emoval",
    "arousal": "emoact activation",
    "start": "start_s start_time start_sec begin begin_time onset",
    "end": "end_s end_time end_sec stop stop_time",
    "start_ms": "start_ms begin_ms",
    "end_ms": "end_ms stop_ms",
    "duration": "duration duration_s dur",
}
NAMES = {field: (*OWN.get(field, ()), *others.split()) for field, others in _OTHERS.items()}
"""Field → every name that its column may have, in order of preference."""
KNOWN = {name for names in NAMES.values() for name in names}


def plain(name: str) -> str:
    """A column's name in lower case, with _ for what separates its words."""
    return re.sub(r"[\s.\-]+", "_", clean(name).lower())


def choose_columns(table: Path, header: Sequence[str]) -> dict[str, int]:
    """Find the column of every field that the table has, and log where its name is not ours.

    Raises:
        CorpusError: no column of paths or none of labels, no header at all, or one name twice.
    """
    names = [plain(name) for name in header]
    chosen: dict[str, int] = {}
    unread = []
    for field, known in NAMES.items():
        here = [name for name in known if name in names]
        if not here:
            continue
        if names.count(here[0]) > 1:
            raise CorpusError(f"{table}: two columns {here[0]!r}; remove or rename one")
        chosen[field] = names.index(here[0])
        unread += [f"{header[names.index(name)]} (it is taken from {here[0]})" for name in here[1:]]
    for field in ("path", "emotion"):
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
    wanted = " or ".join(repr(name) for name in OWN[field])
    near = [match for name in NAMES[field] for match in difflib.get_close_matches(name, present, n=1)]
    hint = f"; is {near[0]!r} meant?" if near else ""
    return f"no column {wanted}; it has {', '.join(present)}{hint}"


def _log(table: Path, header: Sequence[str], chosen: Mapping[str, int], unread: Sequence[str]) -> None:
    renamed = [
        f"{header[index]} as {OWN[field][0] if field in OWN else field}"
        for field, index in chosen.items()
        if plain(header[index]) not in OWN.get(field, ())
    ]
    if renamed or unread:
        left = f"; not read: {', '.join(unread)}" if unread else ""
        log.info("%s: columns read: %s%s", table, ", ".join(renamed) or "our own", left)
