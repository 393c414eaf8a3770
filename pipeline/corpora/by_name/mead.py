"""MEAD: 48 actors, eight emotions at three levels; the sound beside the videos."""

from pipeline.corpora.by_name.coded import GENDERS, CodedCorpus
from pipeline.corpora.facts import Facts

WORDS = {
    "angry": "angry",
    "contempt": "contemptuous",
    "disgusted": "disgusted",
    "fear": "fearful",
    "happy": "happy",
}
WORDS |= {"neutral": "neutral", "sad": "sad", "surprised": "surprised"}

MEAD = CodedCorpus(
    "mead",
    Facts(
        title="MEAD",
        paper="Wang et al. 2020, doi:10.1007/978-3-030-58589-1_42",
        languages=("en",),
        licence="research, after a form",
        link="https://wywu.github.io/projects/MEAD/MEAD.html",
        speakers=48,
        layout=("M003/audio/angry/level_1/001.m4a",),
        slips=("a number stands for another sentence in each emotion, and M003 lost one",),
    ),
    (r"(?P<speaker><gender>\d{3})/audio/<emotion>/level_<intensity:[1-3]>/<sentence:\d+>",),
    {"emotion": WORDS, "gender": {"M": GENDERS["M"], "W": "female", "F": GENDERS["F"]}},
    sentence="{emotion}-{sentence}",
    skips={r"video/.*": "the pictures of a recording that audio/ holds"},
)
