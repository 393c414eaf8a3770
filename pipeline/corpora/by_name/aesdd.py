"""AESDD: Greek actors, five emotions."""

from pipeline.corpora.by_name.coded import CodedCorpus
from pipeline.corpora.facts import Facts

LETTERS = {"a": "angry", "d": "disgusted", "f": "fearful", "h": "happy", "s": "sad"}

AESDD = CodedCorpus(
    "aesdd",
    Facts(
        title="AESDD",
        paper="Vryzas et al. 2018, doi:10.17743/jaes.2018.0036",
        languages=("el",),
        licence="public; see its page",
        link="https://m3c.web.auth.gr/research/aesdd-speech-emotion-recognition/",
        clips=(604,),
        speakers=6,
        layout=("anger/a03 (3).wav",),
        slips=(
            "a speaker is written 5 and 05, 1 and 01: read as one",
            "a letter behind the bracket, as in a03 (5)b, is another take",
        ),
    ),
    (r"<emotion><sentence:\d\d?>\s*\(0*<speaker:\d+>\)\s*[a-z]?",),
    {"emotion": LETTERS},
    sentence="{emotion}{sentence}",
)
