"""Speakers, sentences and prosody of the demo corpus."""

from typing import NamedTuple


class Voice(NamedTuple):
    """A speaker of the demo corpus."""

    speaker: str
    gender: str
    espeak: str
    """espeak-ng voice and variant."""
    pitch: int
    """Added to the pitch of the emotion, on espeak-ng's scale of 0 to 99."""
    tempo: float
    """Factor of the speaking rate."""


VOICES = (
    Voice("f01", "female", "en-us+f1", 0, 1.00),
    Voice("m01", "male", "en-us+m1", 4, 0.95),
    Voice("f02", "female", "en+f2", -6, 1.06),
    Voice("m02", "male", "en-gb-x-rp+m3", 6, 1.03),
    Voice("f03", "female", "en-gb-x-rp+f3", 5, 0.97),
    Voice("m03", "male", "en-us+m4", -5, 1.00),
    Voice("f04", "female", "en-us+f4", 8, 1.02),
    Voice("m04", "male", "en-gb-scotland+m7", 0, 1.05),
    Voice("f05", "female", "en-gb-scotland+f5", -8, 0.94),
    Voice("m05", "male", "en+m2", -8, 0.92),
    Voice("f06", "female", "en-us+linda", -3, 1.00),
    Voice("m06", "male", "en-029+m6", 3, 0.98),
)

SENTENCES = (
    "The meeting starts at half past nine.",
    "My brother lives in the house next door.",
    "The train to the city leaves from platform four.",
    "She put the blue book on the kitchen table.",
    "We will walk to the library on Tuesday.",
    "There are seven bags standing under the window.",
    "He has been working in the garden since noon.",
    "The shop on the corner opens after lunch.",
    "They painted the wall beside the front door.",
    "I usually read the newspaper in the evening.",
)
"""Everyday statements of neutral content."""


class Prosody(NamedTuple):
    """Means of an emotion's prosody, or their standard deviations."""

    rate: float
    """Words per minute."""
    pitch: float
    """On espeak-ng's scale of 0 to 99."""
    pitch_range: float
    """On espeak-ng's scale of 0 to 99."""
    loudness_db: float
    """Relative to neutral."""


PROSODY = {
    "angry": Prosody(rate=192, pitch=50, pitch_range=62, loudness_db=5.0),
    "happy": Prosody(rate=184, pitch=64, pitch_range=72, loudness_db=2.0),
    "neutral": Prosody(rate=170, pitch=46, pitch_range=42, loudness_db=0.0),
    "sad": Prosody(rate=146, pitch=38, pitch_range=26, loudness_db=-4.0),
}
"""Mean prosody of each emotion; the order of the values follows Juslin and Laukka 2003, "Communication of emotions in
vocal expression and music performance"."""
SPREAD = Prosody(rate=12, pitch=7, pitch_range=11, loudness_db=1.8)
"""Standard deviations, the same for each emotion."""
