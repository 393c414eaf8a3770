"""CREMA-D: 91 actors; the emotion that was asked for, and what listeners heard."""

import re
from collections.abc import Iterator
from itertools import pairwise

from pipeline.corpora.by_metadata.listed import ListedCorpus, Told, Tree
from pipeline.corpora.facts import Facts
from pipeline.protocol.fold_sets import FoldSet

WORDS = {"ANG": "angry", "DIS": "disgusted", "FEA": "fearful", "HAP": "happy", "NEU": "neutral", "SAD": "sad"}
VOTED = {code[0]: word for code, word in WORDS.items()}
LEVELS = {"LO": "low", "MD": "medium", "HI": "high", "XX": "", "X": ""}
TEXTS = {
    **{"IEO": "It's eleven o'clock.", "TIE": "That is exactly what happened."},
    **{"IOM": "I'm on my way to the meeting.", "IWW": "I wonder what this is about."},
    **{"TAI": "The airplane is almost full.", "MTI": "Maybe tomorrow it will be cold."},
    **{"IWL": "I would like a new alarm clock.", "ITH": "I think I have a doctor's appointment."},
    **{
        "DFA": "Don't forget a jacket.",
        "ITS": "I think I've seen this before.",
        "TSI": "The surface is slick.",
    },
    **{"WSI": "We'll stop in a couple of minutes."},
}
SILENT = "1076_MTI_SAD_XX"
_NAME = re.compile(r"(?P<speaker>1\d{3})_(?P<sentence>[A-Z]{3})_(?P<emotion>[A-Z]{3})_(?P<level>[A-Z]{1,2})")


def tell(tree: Tree) -> Iterator[Told]:
    """Each recording, whose name is a code; people, and votes on the voice alone, from tables if they exist."""
    people = {row["ActorID"]: row for row in _rows(tree, "VideoDemographics.csv")}
    heard = {row["FileName"]: VOTED.get(row["VoiceVote"], "") for row in _rows(tree, "summaryTable.csv")}
    votes = {
        row["fileName"]: row for row in _rows(tree, "tabulatedVotes.csv") if row.get("", "").startswith("1")
    }
    for path in tree.recordings:
        if (
            (code := _NAME.fullmatch(path.stem)) is None
            or path.stem == SILENT
            or code["emotion"] not in WORDS
        ):
            continue
        person, counts = people.get(code["speaker"], {}), votes.get(path.stem, {})
        intended = WORDS[code["emotion"]]
        yield Told(
            path.stem,
            {
                **{
                    "speaker": code["speaker"],
                    "gender": person.get("Sex", "").lower(),
                    "age": person.get("Age", ""),
                },
                **{"emotion": intended, "intended": intended, "perceived": heard.get(path.stem, "")},
                **{"intensity": LEVELS.get(code["level"], ""), "sentence": code["sentence"]},
                "text": TEXTS.get(code["sentence"], ""),
                "votes": {
                    word: float(counts[letter]) for letter, word in VOTED.items() if counts.get(letter)
                },
                "raters": int(float(counts["numResponses"])) if counts.get("numResponses") else None,
            },
        )


def _rows(tree: Tree, name: str) -> list[dict[str, str]]:
    table = tree.find_or_none(name)
    return [*tree.rows(table)] if table is not None else []


ACTORS = [str(number) for number in range(1001, 1092)]
EMO_SUPERB = [ACTORS[a:b] for a, b in pairwise([0, 18, 36, 54, 72, 91])]
AUD_TEST = "1048 1069 1071 1074 1076 1077 1078 1079 1082 1083 1084 1086 1087 1088 1089 1090 1091"
AUD_VAL = "1049 1053 1054 1055 1058 1059 1061 1062 1063 1064 1065 1066 1067 1068 1070 1075 1080 1085"

CREMA_D = ListedCorpus(
    "crema-d",
    Facts(
        title="CREMA-D",
        paper="Cao et al. 2014, doi:10.1109/TAFFC.2014.2336244",
        languages=("en",),
        licence="ODbL 1.0",
        link="https://github.com/CheyneyComputerScience/CREMA-D",
        clips=(7442, 7441),
        speakers=91,
        emotions=tuple(WORDS.values()),
        standard="intended",
        layout=("AudioWAV/1001_IEO_NEU_XX.wav", "VideoDemographics.csv", "processedResults/summaryTable.csv"),
        slips=(
            f"{SILENT} is silent: left out",
            "a plain download holds Git LFS pointers: run `git lfs pull`",
        ),
        hints=(
            "what listeners heard in the voice differs much from what was intended: try labels.of=perceived",
        ),
        fold_sets=(
            FoldSet("emo-superb", "EMO-SUPERB", tuple(map(tuple, EMO_SUPERB))),
            FoldSet("audeering", "audEERING", (tuple(AUD_TEST.split()),), (tuple(AUD_VAL.split()),)),
        ),
        parts=tuple(ACTORS),
    ),
    tell,
    form=r"1[01]\d\d_[A-Z]{3}_[A-Z]{3}_[A-Z]{1,2}",
)
