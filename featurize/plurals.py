"""Numbers with their nouns, for messages."""


def counted(number: int, noun: str, plural: str = "") -> str:
    """The number with the noun in its form: 1 clip, 2 clips.

    Args:
        number: how many.
        noun: what, as of one.
        plural: as of several; by default the noun with an s.
    """
    return f"{number} {noun if number == 1 else plural or f'{noun}s'}"
