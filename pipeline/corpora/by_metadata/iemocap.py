"""IEMOCAP: five sessions of two actors each, improvised and scripted, labelled by raters."""

import re
from collections.abc import Iterator

from pipeline.corpora.by_metadata.listed import ListedCorpus, Told, Tree
from pipeline.corpora.facts import Facts
from pipeline.corpora.tables.table_bytes import read_text
from pipeline.corpora.votes import tally
from pipeline.protocol.emotion_words import COMMON
from pipeline.protocol.fold_sets import FoldSet

CODES = {
    "ang": "angry",
    "hap": "happy",
    "exc": "excited",
    "sad": "sad",
    "neu": "neutral",
    "fru": "frustrated",
}
CODES |= {
    "fea": "fearful",
    "sur": "surprised",
    "dis": "disgusted",
    "oth": "other",
    "xxx": "",
}  # xxx: no majority

_TURN = re.compile(
    r"\[[^\]]*\]\s+(?P<turn>Ses(?P<session>\d\d)[FM]_(?P<scene>\S+)_(?P<who>[FM])\w+)"
    r"\s+(?P<code>\w+)\s+\[(?P<vad>[^\]]*)\]"
)
_RATER = re.compile(r"C-E\d+:\s*([^(]*)")  # C-F1 and C-M1 are the actors' own
_SAID = re.compile(r"(Ses\S+)\s*\[[^\]]*\]:\s*(.*)")


def tell(tree: Tree) -> Iterator[Told]:
    """Each turn of the files directly in EmoEvaluation; the folders in it hold each rater's own."""
    said: dict[str, str] = {}
    for path in tree.find_all("transcriptions/*.txt"):
        said |= {match[1]: match[2] for match in _SAID.finditer(read_text(path))}
    tree.find("EmoEvaluation/*.txt")
    for path in tree.find_all("EmoEvaluation/*.txt"):
        for block in re.split(r"\n\s*\n", read_text(path).replace("\r\n", "\n")):
            if (turn := _TURN.search(block)) is not None:
                yield _told(turn, block, said.get(turn["turn"], ""))


def _told(turn: "re.Match[str]", block: str, text: str) -> Told:
    raters = [_words(match[1]) for match in _RATER.finditer(block)]
    valence, arousal, dominance, *_ = [*map(_number, turn["vad"].split(",")), None, None, None]
    emotion = CODES.get(turn["code"], turn["code"])
    return Told(
        turn["turn"],
        {
            "speaker": f"{turn['session']}{turn['who']}",
            "gender": "female" if turn["who"] == "F" else "male",
            "emotion": emotion,
            "perceived": emotion,
            **{"valence": valence, "arousal": arousal, "dominance": dominance},
            **{"session": f"Session{int(turn['session'])}", "sentence": turn["scene"], "text": text},
            **{"votes": tally(raters), "raters": len(raters) or None},
        },
    )


def _words(text: str) -> list[str]:
    words = [word.strip().lower().removesuffix(" state") for word in text.split(";")]
    return [COMMON.get(word, word) for word in words if word]


def _number(text: str) -> float | None:
    try:
        return float(text)
    except ValueError:
        return None


IEMOCAP = ListedCorpus(
    "iemocap",
    Facts(
        title="IEMOCAP",
        paper="Busso et al. 2008, doi:10.1007/s10579-008-9076-6",
        languages=("en",),
        licence="research, after a form",
        link="https://sail.usc.edu/iemocap/",
        clips=(10039,),
        speakers=10,
        emotions=tuple(word for word in CODES.values() if word),
        standard="perceived",
        layout=(
            "Session1/sentences/wav/Ses01F_impro04/Ses01F_impro04_F000.wav",
            "Session1/dialog/EmoEvaluation/Ses01F_impro04.txt",
        ),
        slips=(
            "the letter after Ses wore the markers; the speaker is that of the last part",
            "turns without a majority (xxx) are left out and counted, or trained on: labels.no_agreement=class",
            "scripted turns repeat sentences across sessions, so the text leaks: sentence holds the scene",
        ),
        hints=(
            "the usual four classes (5,531 turns): labels.set: map, and in params.yaml "
            "map: {angry: angry, happy: happy, excited: happy, neutral: neutral, sad: sad}",
        ),
        fold_sets=(FoldSet.of("emobox", "EmoBox", *(f"0{n}F 0{n}M" for n in range(1, 6))),),
        parts=tuple(f"Session{number}" for number in range(1, 6)),
    ),
    tell,
    form=r"Ses0\d[FM]_\w+_[FM]\w?\d{3}",
)
