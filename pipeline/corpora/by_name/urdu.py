"""URDU: Pakistani talk shows; most speakers show one emotion."""

from pipeline.corpora.by_name.coded import GENDERS, CodedCorpus
from pipeline.corpora.facts import Facts

LETTERS = {"A": "angry", "H": "happy", "N": "neutral", "S": "sad"}

URDU = CodedCorpus(
    "urdu",
    Facts(
        title="URDU",
        paper="Latif et al. 2018, doi:10.1109/FIT.2018.00023",
        languages=("ur",),
        licence="free for research",
        link="https://github.com/siddiquelatif/URDU-Dataset",
        clips=(400,),
        speakers=29,
        standard="perceived",
        layout=("Angry/SM1_F19_A019.wav",),
        slips=(
            "most speakers have one emotion, so that the voice predicts the label: every number is stamped so",
        ),
    ),
    (r"(?P<speaker>S<gender>\d+)_F\d+_<emotion>\d+",),
    {"emotion": LETTERS, "gender": {"F": GENDERS["F"], "M": GENDERS["M"]}},
)
