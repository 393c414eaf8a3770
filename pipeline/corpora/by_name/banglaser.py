"""BanglaSER, and BEASC, its first version without neutral: 34 Bangla speakers; names in the manner of RAVDESS."""

from pipeline.corpora.by_name.coded import CodedCorpus, odd_and_even
from pipeline.corpora.facts import Facts

WORDS = ("happy", "sad", "angry", "surprised", "neutral")

BANGLASER = CodedCorpus(
    "banglaser",
    Facts(
        title="BanglaSER",
        paper="Das et al. 2022, doi:10.1016/j.dib.2022.108091",
        languages=("bn",),
        licence="see its page",
        link="https://data.mendeley.com/datasets/t9h6p943xy",
        clips=(1467, 1224),
        speakers=34,
        layout=("Actor_12/03-01-02-01-02-01-12.wav",),
        slips=("the emotions have other numbers than in RAVDESS, whose names look the same",),
    ),
    (r"\d\d-\d\d-<emotion>-<intensity>-<sentence:0[1-3]>-\d\d-<speaker:[0-3]\d>",),
    {
        "emotion": {f"{n:02d}": word for n, word in enumerate(WORDS, 1)},
        "intensity": {"01": "normal", "02": "strong"},
    },
    genders=odd_and_even(34),
)
