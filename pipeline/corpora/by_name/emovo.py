"""EMOVO: six Italian actors, 14 sentences in seven emotions."""

from pipeline.corpora.by_name.coded import GENDERS, CodedCorpus
from pipeline.corpora.facts import Facts
from pipeline.protocol.fold_sets import leave_one_out

# disgusto, gioia, neutro, paura, rabbia, sorpresa, tristezza
CODES = {"dis": "disgusted", "gio": "happy", "neu": "neutral", "pau": "fearful"}
CODES |= {"rab": "angry", "sor": "surprised", "tri": "sad"}
SIX = ("f1", "f2", "f3", "m1", "m2", "m3")

EMOVO = CodedCorpus(
    "emovo",
    Facts(
        title="EMOVO",
        paper='Costantini et al. 2014, "EMOVO corpus: an Italian emotional speech database"',
        languages=("it",),
        licence="CC BY-NC-SA 4.0",
        link="http://voice.fub.it/activities/corpora/emovo/index.html",
        clips=(588,),
        speakers=6,
        layout=("f1/dis-f1-b1.wav",),
        fold_sets=(leave_one_out("emobox", "EmoBox", SIX),),
        parts=SIX,
    ),
    (r"<emotion>-(?P<speaker><gender>\d)-<sentence:[a-z]\d>",),
    {"emotion": CODES, "gender": {"f": GENDERS["f"], "m": GENDERS["m"]}},
)
