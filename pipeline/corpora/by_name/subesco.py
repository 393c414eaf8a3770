"""SUBESCO: twenty Bangla actors, ten sentences in seven emotions, five takes each."""

from pipeline.corpora.by_name.coded import GENDERS, CodedCorpus
from pipeline.corpora.facts import Facts
from pipeline.protocol.fold_sets import FoldSet

WORDS = {"ANGRY": "angry", "DISGUST": "disgusted", "FEAR": "fearful", "HAPPY": "happy", "NEUTRAL": "neutral"}
WORDS |= {"SAD": "sad", "SURPRISE": "surprised"}
EMOBOX = ("F03 M03 M08 M09", "F01 F04 F10 M07", "F06 F08 M05 M06", "F05 F07 F09 M04", "F02 M01 M02 M10")

SUBESCO = CodedCorpus(
    "subesco",
    Facts(
        title="SUBESCO",
        paper="Sultana et al. 2021, doi:10.1371/journal.pone.0250173",
        languages=("bn",),
        licence="CC BY 4.0",
        link="https://doi.org/10.5281/zenodo.4526477",
        clips=(7000,),
        speakers=20,
        layout=("F_02_MONIKA_S_1_NEUTRAL_5.wav",),
        slips=("numbers start again for each gender: the speaker is letter and number, such as F02",),
        fold_sets=(FoldSet.of("emobox", "EmoBox", *EMOBOX),),
        parts=tuple(f"{letter}{number:02d}" for letter in "FM" for number in range(1, 11)),
    ),
    (r"<gender>_<speaker:\d\d>_[^/_]+_S_<sentence:\d+>_<emotion>_\d+",),
    {"emotion": WORDS, "gender": {"F": GENDERS["F"], "M": GENDERS["M"]}},
    speaker="{gender}{speaker}",
)
