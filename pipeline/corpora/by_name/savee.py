"""SAVEE: four British men, seven emotions; 15 sentences for each, 30 for neutral."""

from pipeline.corpora.by_name.coded import CodedCorpus
from pipeline.corpora.facts import Facts
from pipeline.protocol.fold_sets import leave_one_out

LETTERS = {
    "a": "angry",
    "d": "disgusted",
    "f": "fearful",
    "h": "happy",
    "n": "neutral",
    "sa": "sad",
    "su": "surprised",
}
MEN = ("DC", "JE", "JK", "KL")

SAVEE = CodedCorpus(
    "savee",
    Facts(
        title="SAVEE",
        paper='Haq and Jackson 2010, "Multimodal emotion recognition"',
        languages=("en",),
        licence="research, after registration",
        link="http://kahlan.eps.surrey.ac.uk/savee/",
        clips=(480,),
        speakers=4,
        layout=("AudioData/DC/sa01.wav", "ALL/DC_sa01.wav"),
        fold_sets=(leave_one_out("emobox", "EmoBox", MEN),),
    ),
    (r"<speaker:DC|JE|JK|KL>[/_]?<emotion><sentence:\d\d>",),
    {"emotion": LETTERS},
    genders=dict.fromkeys(MEN, "male"),
    sentence="{emotion}{sentence}",
)
