"""What tuning may change of a training, and the random trials of it: the same ones for every strategy."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from mmbench.core.streams import random_words

# Random search (Bergstra and Bengio, JMLR 2012): uniform in the logarithm, or over these values.
_RATES = (3e-4, 3e-2)
_DECAYS = (1e-4, 1e-1)
_DROPOUTS = (0.0, 0.1, 0.2, 0.3)
_WIDTHS = (0.5, 1.0, 2.0)


@dataclass(frozen=True, slots=True)
class Settings:
    """None: the default of the suite's task.

    ``rate`` the highest learning rate, ``decay`` the weight decay, ``dropout`` the probability with which a modality is
    hidden in training, ``width`` the factor of the operator's hidden width (1 where it has none).
    """

    rate: float | None = None
    decay: float | None = None
    dropout: float | None = None
    width: float = 1.0


def trials(count: int) -> Iterator[Settings]:
    """The defaults, then random settings: the first ones of a larger count are those of a smaller one."""
    words = [int(word) for word in random_words(4 * count, "study trials")]
    for start in range(0, 4 * count, 4):
        rate, decay, dropout, width = words[start : start + 4]
        if start == 0:
            yield Settings()
        else:
            yield Settings(
                _between(_RATES, rate), _between(_DECAYS, decay), _one(_DROPOUTS, dropout), _one(_WIDTHS, width)
            )


def _between(ends: tuple[float, float], word: int) -> float:
    """Log-uniform; three digits, so that a report shows the number that was used."""
    low, high = ends
    return float(f"{low * (high / low) ** (word / 2**64):.3g}")


def _one(choices: tuple[float, ...], word: int) -> float:
    return choices[(word * len(choices)) >> 64]
