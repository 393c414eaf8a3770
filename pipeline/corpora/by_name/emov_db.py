"""EmoV-DB: four speakers read the CMU Arctic sentences in five emotions."""

from pipeline.corpora.by_name.coded import CodedCorpus
from pipeline.corpora.facts import Facts

WORDS = {
    "amused": "amused",
    "anger": "angry",
    "angry": "angry",
    "disgust": "disgusted",
    "disgusted": "disgusted",
}
WORDS |= {"neutral": "neutral", "sleepiness": "sleepy", "sleepy": "sleepy"}
GENDERS = {"bea": "female", "jenie": "female", "josh": "male", "sam": "male"}

EMOV_DB = CodedCorpus(
    "emov-db",
    Facts(
        title="EmoV-DB",
        paper="Adigwe et al. 2018, arXiv:1806.09514",
        languages=("en",),
        licence="CC BY 4.0",
        link="https://openslr.org/115/",
        clips=(6887,),
        speakers=4,
        layout=("jenie_Amused/amused_57-84_0057.wav",),
        slips=("the speaker is in the folder's name alone: keep it",),
    ),
    (r"<speaker:bea|jenie|josh|sam>_[A-Za-z]+/(?:[^/]+/)*<emotion>_\d+-\d+_<sentence:\d{4}>",),
    {"emotion": WORDS | {word.capitalize(): meant for word, meant in WORDS.items()}},
    genders=GENDERS,
)
