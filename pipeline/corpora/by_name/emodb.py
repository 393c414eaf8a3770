"""EMO-DB, Burkhardt et al. 2005, "A database of German emotional speech": ten actors, seven emotions.

A file's name is its code, such as 03a01Fa: speaker 03, text a01, emotion F (Freude, happiness), version a.
"""

import logging
import re
from pathlib import Path

from featurize.errors import CorpusError, counted
from pipeline.corpora.clip import Clip
from pipeline.corpora.corpus_contents import Corpus
from pipeline.corpora.recordings import audio_files, clip_ids, one_per_name

log = logging.getLogger(__name__)

# Letter 6 of a file's name: Wut, Langeweile, Ekel, Angst, Freude, Trauer, neutral.
LETTERS = {
    "W": "anger",
    "L": "boredom",
    "E": "disgust",
    "A": "fear",
    "F": "happiness",
    "T": "sadness",
    "N": "neutral",
}
EMOTIONS = tuple(LETTERS.values())

FEMALE = frozenset({"08", "09", "13", "14", "16"})
MALE = frozenset({"03", "10", "11", "12", "15"})

_CODE = re.compile(r"(\d\d)([a-z]\d\d)([WLEAFTN])([a-z])")


def read(root: Path) -> Corpus:
    """Read the EMO-DB recordings in a folder, at any depth and with any audio ending.

    Raises:
        CorpusError: the folder does not exist or holds no EMO-DB recording, or two different files have one name.
    """
    paths = audio_files(root, "emodb")
    coded = [path for path in paths if _CODE.fullmatch(path.stem)]
    if len(coded) < len(paths):
        number = counted(len(paths) - len(coded), "file")
        log.warning("emodb: %s skipped: no EMO-DB code as name", number)
    if not coded:
        raise CorpusError(f"corpus.root: no EMO-DB recording (such as 03a01Fa.wav) in {root}")
    coded, left_out = one_per_name(root, coded, "emodb")
    clips = []
    for name, path in zip(clip_ids("emodb", coded), coded, strict=True):
        speaker = path.stem[:2]
        gender = "female" if speaker in FEMALE else "male" if speaker in MALE else ""
        emotion, text = LETTERS[path.stem[5]], path.stem[2:5]
        clips.append(Clip(name, root / path, "emodb", speaker, gender, emotion, sentence=text))
    return Corpus("emodb", clips, EMOTIONS, left_out=tuple(left_out))
