"""RAVDESS, Livingstone and Russo 2018, doi:10.1371/journal.pone.0196391: 24 actors, eight emotions.

A file's name is its code: modality-channel-emotion-intensity-statement-repetition-actor, such as
03-01-05-02-01-01-16.wav for audio only, speech, angry, strong, first statement, first repetition, actor 16.
Only speech audio is read; songs and videos are skipped.
"""

import logging
import re
from collections import Counter
from pathlib import Path, PurePosixPath

from featurize.errors import CorpusError, counted
from pipeline.corpora.clip import Clip, LeftOut
from pipeline.corpora.corpus_contents import Corpus
from pipeline.corpora.facts import Facts
from pipeline.corpora.recordings import audio_files, clip_ids, one_per_name
from pipeline.protocol.fold_sets import FoldSet

log = logging.getLogger(__name__)

EMOTIONS = ("neutral", "calm", "happy", "sad", "angry", "fearful", "disgust", "surprised")  # codes 01 to 08

# Ma et al. 2024, arXiv:2406.07162.
EMOBOX_FOLDS = (
    ("01", "11", "20", "21"),
    ("04", "10", "12", "14"),
    ("08", "09", "19", "23"),
    ("03", "05", "07", "24"),
    ("02", "15", "16", "18"),
    ("06", "13", "17", "22"),
)
# Luna-Jimenez et al. 2021, doi:10.3390/s21227665; those of most papers that tune networks.
FIVE_FOLDS = (
    ("02", "05", "14", "15", "16"),
    ("03", "06", "07", "13", "18"),
    ("10", "11", "12", "19", "20"),
    ("08", "17", "21", "23", "24"),
    ("01", "04", "09", "22"),
)
FACTS = Facts(
    title="RAVDESS: Livingstone and Russo 2018, doi:10.1371/journal.pone.0196391",
    languages=("en",),
    licence="CC BY-NC-SA 4.0",
    link="https://doi.org/10.5281/zenodo.1188976",
    clips=1439,
    speakers=24,
    emotions=EMOTIONS,
    standard="intended",
    fold_sets=(
        FoldSet("emobox", "EmoBox", EMOBOX_FOLDS),
        FoldSet("luna-jimenez", "Luna-Jimenez 2021", FIVE_FOLDS),
    ),
    parts=tuple(f"{actor:02d}" for actor in range(1, 25)),
)

# One recording that the corpus holds under two names: (name to skip, name to keep).
KNOWN_DUPLICATE = ("03-01-03-01-02-02-07", "03-01-03-01-02-01-07")

_CODE = re.compile(r"(0[1-3])-(0[12])-(0[1-8])-(0[12])-(0[12])-(0[12])-(0[1-9]|1\d|2[0-4])")
_AUDIO_ONLY, _SPEECH = "03", "01"


def read(root: Path) -> Corpus:
    """Read the RAVDESS speech recordings in a folder, at any depth and with any audio ending.

    Speakers are "01" to "24"; odd numbers are male, even ones female.

    Raises:
        CorpusError: the folder does not exist or holds no speech recording, or two different files have one name.
    """
    spoken = []
    skipped: Counter[str] = Counter()
    for path in audio_files(root, "ravdess"):
        code = _CODE.fullmatch(path.stem)
        if code is None:
            skipped["no RAVDESS code as name"] += 1
        elif code[1] != _AUDIO_ONLY:
            skipped["with video"] += 1
        elif code[2] != _SPEECH:
            skipped["sung, not spoken"] += 1
        else:
            spoken.append(path)
    for why, count in skipped.items():
        log.warning("ravdess: %s skipped: %s", counted(count, "file"), why)
    if not spoken:
        raise CorpusError(f"corpus.root: no RAVDESS speech recording (03-01-*) in {root}")
    paths, same_name = one_per_name(root, spoken, "ravdess")
    paths, known = _without_known_duplicate(paths)
    left_out = (*same_name, *known)
    return Corpus("ravdess", _clips(root, paths), EMOTIONS, left_out=left_out, facts=FACTS)


def _clips(root: Path, paths: list[PurePosixPath]) -> list[Clip]:
    clips = []
    for name, path in zip(clip_ids("ravdess", paths), paths, strict=True):
        emotion, statement, actor = int(path.stem[6:8]), path.stem[12:14], path.stem[-2:]
        gender = "male" if int(actor) % 2 else "female"
        word = EMOTIONS[emotion - 1]
        clips.append(Clip(name, root / path, "ravdess", actor, gender, word, sentence=statement))
    return clips


def _without_known_duplicate(paths: list[PurePosixPath]) -> tuple[list[PurePosixPath], list[LeftOut]]:
    found = {path.stem: path for path in paths if path.stem in KNOWN_DUPLICATE}
    if len(found) < len(KNOWN_DUPLICATE):
        return paths, []
    drop, keep = (found[stem] for stem in KNOWN_DUPLICATE)
    duplicate = LeftOut(f"ravdess/{drop}", f"ravdess/{keep}", "known duplicate")
    return [path for path in paths if path != drop], [duplicate]
