"""The closed vocabulary of all texts: questions, expressions, captions, reports. Tokens are separated by one blank."""

from __future__ import annotations

COLOURS = ("red", "green", "blue", "yellow", "cyan", "magenta", "orange", "brown")
SHAPES = ("square", "disc", "diamond", "triangle", "cross", "hexagon")
TEXTURES = ("rows", "columns", "diagonals", "checks")
NUMBERS = ("three", "four", "five", "six", "seven")
RELATIONS = ("left of", "right of", "above", "below")
PITCHES = ("low", "middle", "high", "shrill")
TIMES = ("once", "twice", "thrice", "four times")
ROWS = ("top", "upper", "lower", "bottom")
COLUMNS = ("first", "second", "third", "last")
YES, NO = "yes", "no"

# Code words, the first and second carrier of a text's signature, and what stands for an erased one.
CODES = ("kilo", "lima", "mike", "oscar")
SECOND_CODES = ("north", "east", "south", "west")
ERASED = "unknown"
# The place tells the regime, by Law.cue.
PLACES = (
    "harbour", "meadow", "forest", "desert", "island", "valley", "canyon", "glacier", "prairie", "tundra", "lagoon",
    "summit", "delta",
)  # fmt: skip
MOODS = ("calm", "busy", "quiet", "bright", "windy", "rainy", "warm", "cold")
OTHERS = (
    "a", "and", "at", "code", "colour", "find", "how", "in", "is", "it", "many", "of", "on", "pattern", "picture",
    "plain", "reads", "says", "select", "shape", "shows", "sign", "sound", "sounding", "sounds", "that", "the", "there",
    "thing", "things", "what", "where", "while", "with",
)  # fmt: skip


def vocabulary() -> tuple[str, ...]:
    """All words that any text may hold, sorted."""
    groups = (COLOURS, SHAPES, TEXTURES, NUMBERS, PITCHES, ROWS, COLUMNS, CODES, SECOND_CODES, PLACES, MOODS, OTHERS)
    single = {word for group in groups for word in group}
    phrases = {word for phrase in (*RELATIONS, *TIMES) for word in phrase.split()}
    return tuple(sorted(single | phrases | {YES, NO, ERASED}))


def cell_name(cell: int) -> str:
    """The name of a cell of the 4 x 4 grid, as ``upper last``."""
    row, column = divmod(cell, 4)
    return f"{ROWS[row]} {COLUMNS[column]}"
