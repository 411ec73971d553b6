"""What a pickle names, without being it: nothing of another program is imported or called."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, SupportsIndex


class Reference:
    """The name of a class or function that a pickle points to, as ``module.name``; only a name."""

    __slots__ = ("origin",)

    def __init__(self, origin: str) -> None:
        self.origin = origin


class Inert:
    """Stands for an object that was not built: the name it would have had and the plain data it would be made of.

    ``state`` is what the object would have been restored from, ``items`` what would have been put into it. It has no
    behaviour, is equal to itself alone, and its text is its name.
    """

    __slots__ = ("args", "items", "origin", "state")

    def __init__(self, origin: str, args: tuple[Any, ...] = ()) -> None:
        self.origin = origin
        self.args = args
        self.state: Any = None
        self.items: list[Any] = []

    def __repr__(self) -> str:
        return f"<{self.origin[:80]}>"


class Nested(tuple[Any, ...]):
    """A tuple that knows how deep and how large it is; Python hashes tuples by recursion, which a deep one breaks.

    ``depth`` counts tuples inside each other, ``weight`` the steps of hashing it.
    """

    depth: int
    weight: int

    def __new__(cls, values: Iterable[Any]) -> Nested:
        """A tuple of these values."""
        made = super().__new__(cls, values)
        inside = [value for value in made if isinstance(value, Nested)]
        made.depth = 1 + max((value.depth for value in inside), default=0)
        made.weight = len(made) + sum(value.weight for value in inside)
        return made

    def __reduce_ex__(self, _protocol: SupportsIndex) -> Any:
        """Pickled and copied as a plain tuple."""
        return tuple, (list(self),)
