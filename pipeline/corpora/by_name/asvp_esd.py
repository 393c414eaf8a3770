"""ASVP-ESD: speech and cries from films, the web and homes, in several languages, labelled by listeners."""

from pipeline.corpora.by_name.coded import CodedCorpus, odd_and_even
from pipeline.corpora.facts import Facts

WORDS = (
    *("bored", "neutral", "happy", "sad", "angry", "fearful", "disgusted", "surprised", "excited", "pleased"),
    *(
        "pained",
        "disappointed",
        "breath",
    ),
)

ASVP_ESD = CodedCorpus(
    "asvp-esd",
    Facts(
        title="ASVP-ESD",
        paper="Landry et al. 2020",
        licence="see its page on Kaggle",
        link="https://www.kaggle.com/datasets/dejolilandry/asvpesdspeech-nonspeech-emotional-utterances",
        clips=(13964,),
        speakers=131,
        standard="perceived",
        layout=("actor_36/03-01-09-01-06-36-02-02-01-39.wav",),
        slips=(
            "even numbers are men: the reverse of RAVDESS",
            "the last parts of a name may be missing",
            "clips with 02 in second place are cries without words; they are read",
        ),
    ),
    (r"\d\d-0[12]-<emotion>-<intensity>-<sentence:\d+>-<speaker:\d{2,3}>(?:-\d+)*",),
    {
        "emotion": {f"{n:02d}": word for n, word in enumerate(WORDS, 1)},
        "intensity": {"01": "normal", "02": "strong"},
    },
    genders=odd_and_even(131, odd="female"),
)
