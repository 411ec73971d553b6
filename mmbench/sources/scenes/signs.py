"""The text rendering of a signature: a code word in a report whose other words say nothing of it.

With 8 or 16 signatures a second code word is the second carrier; with fewer it is a free nuisance. All templates hold
the same number of words.
"""

from __future__ import annotations

from mmbench.sources.scenes import words
from mmbench.sources.scenes.regimes import BLANK, Law
from mmbench.sources.scenes.scene import PRIMARY
from mmbench.sources.scenes.stream import Draws

TEMPLATES = (
    "in the {mood} {place} the sign reads {first} {second}",
    "the sign in the {mood} {place} says {first} {second}",
    "{first} {second} is on the sign at {mood} {place}",
    "the code is {first} {second} in the {mood} {place}",
    "a {mood} {place} with the code {first} and {second}",
    "the {mood} {place} shows {first} {second} on the sign",
)

_WORDS = 3


def render(law: Law, shown: int, *stream: str | int) -> str:
    """The report of an item; ``stream`` names its random stream."""
    draws = Draws(_WORDS, *stream)
    template, mood, free = (draws.below(n) for n in (len(TEMPLATES), len(words.MOODS), len(words.SECOND_CODES)))
    second = shown // PRIMARY if law.signatures > PRIMARY and shown != BLANK else free
    return TEMPLATES[template].format(
        mood=words.MOODS[mood],
        place=words.PLACES[law.cue],
        first=words.ERASED if shown == BLANK else words.CODES[shown % PRIMARY],
        second=words.SECOND_CODES[second],
    )
