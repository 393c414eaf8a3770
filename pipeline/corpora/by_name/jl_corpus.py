"""JL-Corpus: four New Zealanders, five primary and five secondary emotions."""

from pipeline.corpora.by_name.coded import GENDERS, CodedCorpus
from pipeline.corpora.facts import Facts
from pipeline.protocol.fold_sets import leave_one_out

WORDS = (
    *("angry", "sad", "neutral", "happy", "excited"),
    *(
        "anxious",
        "apologetic",
        "assertive",
        "concerned",
        "encouraging",
    ),
)
FOUR = ("female1", "female2", "male1", "male2")

JL_CORPUS = CodedCorpus(
    "jl-corpus",
    Facts(
        title="JL-Corpus",
        paper="James et al. 2018, doi:10.21437/Interspeech.2018-1349",
        languages=("en",),
        licence="ODC-By",
        link="https://www.kaggle.com/datasets/tli725/jl-corpus",
        clips=(2400,),
        speakers=4,
        layout=("Raw JL corpus/JL(wav+txt)/male2_concerned_6b_1.wav",),
        slips=("female1 contains male1: whole words are compared",),
        fold_sets=(leave_one_out("emobox", "EmoBox", FOUR),),
        parts=FOUR,
    ),
    (r"(?P<speaker><gender>[12])_<emotion>_<sentence:\d+><session:[a-z]?>_\d+",),
    {
        "emotion": {word: word for word in WORDS},
        "gender": {"female": GENDERS["female"], "male": GENDERS["male"]},
    },
)
