"""TESS: two women say "Say the word ..." with 200 words in seven emotions."""

from pipeline.corpora.by_name.coded import CodedCorpus
from pipeline.corpora.facts import Facts

WORDS = {"angry": "angry", "disgust": "disgusted", "fear": "fearful", "happy": "happy", "neutral": "neutral"}
WORDS |= {
    "sad": "sad",
    "ps": "surprised",
    "pleasant_surprise": "surprised",
    "pleasant_surprised": "surprised",
}
WORDS |= {word.capitalize(): meant for word, meant in WORDS.items()}

TESS = CodedCorpus(
    "tess",
    Facts(
        title="TESS",
        paper="Pichora-Fuller and Dupuis 2020, doi:10.5683/SP2/E8H2MF",
        languages=("en",),
        licence="free for research",
        link="https://doi.org/10.5683/SP2/E8H2MF",
        clips=(2800,),
        speakers=2,
        layout=("OAF_angry/OAF_bite_angry.wav",),
        slips=(
            "archives hold the whole tree twice: read once",
            "OA_bite_neutral lacks a letter: read as OAF",
            "two files are AIFF under .wav, and one has 96 kHz: read as they are",
            "two speakers leave none to validate on: only random splits work, or TESS beside another corpus",
        ),
    ),
    (r"<speaker>_<sentence:[^/_]+>_<emotion>",),
    {"speaker": {"OAF": "OAF", "YAF": "YAF", "OA": "OAF"}, "emotion": WORDS},
    genders=dict.fromkeys(("OAF", "YAF"), "female"),
    ages={"OAF": "64", "YAF": "26"},
    derive=lambda groups: {"text": f"Say the word {groups['sentence']}."},
)
