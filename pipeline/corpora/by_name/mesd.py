"""MESD: Mexican women, men and children say single words in six emotions; the names do not tell the speakers."""

from pipeline.corpora.by_name.coded import CodedCorpus
from pipeline.corpora.facts import Facts

WORDS = {
    "Anger": "angry",
    "Disgust": "disgusted",
    "Fear": "fearful",
    "Happiness": "happy",
    "Neutral": "neutral",
}
WORDS |= {"Sadness": "sad"}

MESD = CodedCorpus(
    "mesd",
    Facts(
        title="MESD",
        paper="Duville et al. 2021, doi:10.1109/EMBC46164.2021.9629934",
        languages=("es",),
        licence="see its page",
        link="https://data.mendeley.com/datasets/cy34mh68j9",
        clips=(862, 864),
        speakers=11,
        layout=("Anger_F_A_tarde.wav",),
        slips=("speakers are not in the names, so that no split keeps them apart: set split.method=random",),
    ),
    (r"<emotion>_<gender>_[AB]_<sentence:[^/]+>",),
    {"emotion": WORDS, "gender": {"F": "female", "M": "male", "C": ""}},
    speaker="",
    derive=lambda groups: {
        "text": groups["sentence"],
        "age": "child" if groups["gender"] == "C" else "adult",
    },
)
