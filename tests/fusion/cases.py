"""Which operators the laws are tried on: each with its defaults for M = 1, 2, 3, and some with options for M = 2."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from mmbench.core import registry

Case = tuple[str, dict[str, Any], int]

NAMES = ("rgb", "depth", "text")
BATCH, WIDTH, GRID = 4, 5, (2, 3)
# Every operator is tried with its defaults; these are tried beside them, with two modalities.
VARIANTS: dict[str, list[dict[str, Any]]] = {
    "feat_linear": [{"weighting": "channel"}, {"weighting": "softmax"}, {"weighting": "mean"}],
    "concat": [{"hidden": 3}],
    "conv": [{"kernel": 1}],
    "mfb": [{"factors": 1}],
    "low_rank_tensor": [{"rank": 1}],
    "tensor_fusion": [{"inner": 2}],
    "cross_attention": [{"layers": 2, "heads": 5}],
    "self_attention": [{"layers": 2}],
    "bottleneck": [{"tokens": 1, "layers": 1}],
    "perceiver": [{"latents": 2}],
    "product_of_experts": [{"prior": [0.5, 0.2, 0.1, 0.15, 0.05]}],
    "mixture_of_experts": [{"experts": 3, "top": 2, "hidden": 4}],
    "hybrid": [{"inner": "feat_linear"}, {"inner": "self_attention"}],
    "modality_dropout": [{"inner": "model_linear"}, {"inner": "cross_attention"}],
    "multitask": [{"inner": "bottleneck", "inner_options": {"layers": 1}}],
}


def names() -> list[str]:
    """All operators; of several names of one class the first."""
    seen: dict[Any, str] = {}
    for name in registry.fusion.entries():
        seen.setdefault(registry.fusion.get(name), name)
    return list(seen.values())


def cases() -> Iterator[Case]:
    for name in names():
        yield from ((name, {}, count) for count in (1, 2, 3))
        yield from ((name, options, 2) for options in VARIANTS.get(name, ()))


def label(case: Case) -> str:
    name, options, count = case
    return f"{name}-{'-'.join(map(str, options.values())) if options else count}"
