"""eNTERFACE'05: people from many countries speak English; five sentences in six emotions; the sound of the videos."""

from pipeline.corpora.by_name.coded import CodedCorpus
from pipeline.corpora.facts import Facts

WORDS = {"anger": "angry", "disgust": "disgusted", "fear": "fearful", "happiness": "happy", "sadness": "sad"}
WORDS |= {"surprise": "surprised"}

ENTERFACE = CodedCorpus(
    "enterface",
    Facts(
        title="eNTERFACE'05",
        paper="Martin et al. 2006, doi:10.1109/ICDEW.2006.145",
        languages=("en",),
        licence="free for research",
        link="http://www.enterface.net/results/",
        clips=(1263, 1287),
        layout=("subject 19/anger/sentence 4/s19_an_4.avi",),
        slips=(
            "subject 6 has one file for all sentences of an emotion: left out",
            "names of subjects 3, 11 and others tell a wrong subject: the folders are read",
            "s16_su_3avi lacks a dot: rename it to s16_su_3.avi",
        ),
    ),
    (r"subject\s*0*<speaker:\d+>/<emotion>/sentence\s*<sentence:\d>/[^/]+",),
    {"emotion": WORDS | {word.capitalize(): meant for word, meant in WORDS.items()}},
    sentence="{emotion}-{sentence}",
    skips={r"subject\s*0*6/.*": "all sentences of an emotion in one file"},
)
