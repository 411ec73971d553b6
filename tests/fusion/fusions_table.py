"""Prints docs/fusions.md from the operators themselves: python tests/fusion/fusions_table.py > docs/fusions.md"""

from __future__ import annotations

import inspect
from collections.abc import Iterator

from mmbench.core import registry
from mmbench.fusion.base import Fusion, build_fusion

PAIR, WIDTH = ("rgb", "depth"), 256
TEXT = f"""# Fusion operators

Printed by `python tests/fusion/fusions_table.py` from the docstrings and the classes. All take any number of modalities
M >= 1 (`tensor_fusion` three at most), any of them absent in any item, on vectors, maps and sequences. What holds for
each is tested in `tests/fusion/test_laws.py`, and that it equals its equation in `tests/fusion/test_equations.py`.

- joins: inputs before one encoder, features, logits of one head per modality, or features and logits (both).
- layout: aligned features (token by token; a single token is spread over the others; for a pooled task one vector per
  modality) or sequences of tokens, each with its own length and grid.
- additive: whether the answer is a sum of terms of one modality each, so that its EMAP projection changes nothing.
- first: whether it matters which modality is the first; beyond that order never does.
- parameters: with M = 2 and d = {WIDTH}, which is the number of classes where logits are joined; what is wrapped by
  default counts, encoders and heads do not.

Options are given as `mmbench train --fusion mfb --fusion-set factors=3`.

"""


def document() -> str:
    """The page."""
    lines = ["| name | joins | layout | additive | first | parameters |", "|---|---|---|---|---|---|"]
    return TEXT + "\n".join([*lines, *map(row, operators()), ""]) + "".join(map(section, operators()))


def operators() -> dict[str, list[str]]:
    """Each operator by its first name, with all its names."""
    found: dict[type[Fusion], list[str]] = {}
    for name in registry.fusion.entries():
        found.setdefault(registry.fusion.get(name), []).append(name)
    return {names[0]: names for names in found.values()}


def row(name: str) -> str:
    built = build_fusion(name, PAIR, WIDTH, {})
    names = ", ".join(f"`{n}`" for n in operators()[name])
    count = sum(parameter.numel() for parameter in built.parameters())
    answers = ("yes" if said else "no" for said in (built.additive, built.anchored))
    return " | ".join([f"| {names}", built.level, built.layout, *answers, f"{count:,} |"])


def section(name: str) -> str:
    operator = registry.fusion.get(name)
    equation, _, text = inspect.getdoc(operator).partition("\n")
    heading = f"\n## {', '.join(operators()[name])}\n\n"
    options = ", ".join(f"`{option}`" for option in defaults(operator))
    return f"{heading}`{equation}`\n\n{text.strip()}\n" + (f"\nDefaults: {options}.\n" if options else "")


def defaults(operator: type[Fusion]) -> Iterator[str]:
    for parameter in list(inspect.signature(operator).parameters.values())[2:]:
        yield f"{parameter.name}={parameter.default!r}"


if __name__ == "__main__":
    print(document(), end="")
