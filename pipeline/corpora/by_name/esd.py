"""ESD: ten speakers of Mandarin and ten of English, the same 350 sentences in five emotions."""

from pipeline.corpora.by_name.coded import CodedCorpus
from pipeline.corpora.facts import Facts
from pipeline.protocol.fold_sets import FoldSet

WORDS = {"Angry": "angry", "Happy": "happy", "Neutral": "neutral", "Sad": "sad", "Surprise": "surprised"}
WORDS |= {"生气": "angry", "快乐": "happy", "中立": "neutral", "伤心": "sad", "惊喜": "surprised"}
WOMEN = ("0001", "0002", "0003", "0007", "0009", "0015", "0016", "0017", "0018", "0019")
EVERYBODY = tuple(f"{number:04d}" for number in range(1, 21))
EMOBOX = (
    *("0005 0011 0016 0018", "0012 0014 0015 0019", "0003 0004 0006 0009", "0007 0008 0013 0020"),
    *("0001 0002 0010 0017",),
)

ESD = CodedCorpus(
    "esd",
    Facts(
        title="ESD",
        paper="Zhou et al. 2022, doi:10.1016/j.specom.2021.11.006",
        languages=("zh", "en"),
        licence="research, after a form",
        link="https://github.com/HLTSingapore/Emotional-Speech-Data",
        clips=(35000,),
        speakers=20,
        layout=("0005/Neutral/0005_000001.wav",),
        slips=("all speakers of a language say the same 350 sentences, so the text leaks between splits",),
        fold_sets=(FoldSet.of("emobox", "EmoBox", *EMOBOX),),
    ),
    (r"<emotion>(?:/(?:train|test|evaluation))?/<speaker:00[01]\d|0020>_<sentence:\d{6}>",),
    {"emotion": WORDS},
    genders={speaker: "female" if speaker in WOMEN else "male" for speaker in EVERYBODY},
    derive=lambda groups: {"language": "zh" if groups["speaker"] <= "0010" else "en"},
)
