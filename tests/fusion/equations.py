"""Every operator's equation in plain loops over one item, in numpy float64, independent of the implementation.

An equation takes an Item and gives one vector of R^d per token of the answer, None where the answer is padding. Weights
stand in ``item.w`` under the names of the state dict.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.special import erf, expit

Vector = NDArray[np.float64]
Answer = list[Vector | None]


@dataclass(frozen=True)
class Item:
    """``x[m]`` [L,d] tokens, ``real[m]`` [L] whether one is no padding, ``has[m]`` whether the modality is present."""

    w: Mapping[str, Vector]
    x: Mapping[str, Vector]
    real: Mapping[str, NDArray[np.bool_]]
    has: Mapping[str, bool]
    grid: Mapping[str, tuple[int, ...] | None]
    options: Mapping[str, Any]

    @property
    def names(self) -> list[str]:
        return list(self.x)

    @property
    def first(self) -> str:
        return self.names[0]

    @property
    def width(self) -> int:
        return self.x[self.first].shape[1]

    @property
    def length(self) -> int:
        """Tokens of aligned features: one token is spread over the others."""
        return max(len(x) for x in self.x.values())

    def seen(self, m: str, token: int) -> bool:
        return self.has[m] and bool(self.real[m][token if len(self.real[m]) > 1 else 0])

    def at(self, m: str, token: int) -> Vector:
        return self.x[m][token if len(self.x[m]) > 1 else 0]

    def under(self, prefix: str) -> Item:
        """The item as an operator inside sees it, with the weights under a prefix."""
        inside = {n.removeprefix(prefix): w for n, w in self.w.items() if n.startswith(prefix)}
        options = self.options.get("inner_options", {})
        return Item(inside, self.x, self.real, self.has, self.grid, options)


EQUATIONS: dict[str, Callable[[Item], Answer]] = {}


def equation(*names: str) -> Callable[[Callable[[Item], Answer]], Callable[[Item], Answer]]:
    def register(function: Callable[[Item], Answer]) -> Callable[[Item], Answer]:
        EQUATIONS.update(dict.fromkeys(names, function))
        return function

    return register


def gelu(t: Vector) -> Vector:
    return t * 0.5 * (1 + erf(t / np.sqrt(2)))


def norm(t: Vector) -> Vector:
    return (t - t.mean()) / np.sqrt(t.var() + 1e-5)


def softmax(t: Any) -> Vector:
    e = np.exp(np.asarray(t) - np.max(t))
    return e / e.sum()


def affine(item: Item, name: str, x: Vector) -> Vector:
    bias = item.w.get(f"{name}.bias")
    return item.w[f"{name}.weight"] @ x + (0 if bias is None else bias)


def joint(item: Item, name: str, parts: Mapping[str, Vector]) -> Vector:
    """W [x_1; ..; x_M] + b from blocks by name."""
    blocks = [item.w[f"{name}.blocks.{m}"] @ x for m, x in parts.items() if f"{name}.blocks.{m}" in item.w]
    return np.sum(blocks, axis=0) + item.w[f"{name}.bias"]


def others(item: Item, m: str) -> list[str]:
    return [o for o in item.names if o != m] or [m]


def is_padding(item: Item, token: int) -> bool:
    """Of operators with null tokens: the item has something, and nothing of it reaches this token."""
    return any(item.has.values()) and not any(item.seen(m, token) for m in item.names)


def filled(item: Item, token: int) -> dict[str, Vector]:
    """Null tokens for what is absent, 0 at padding."""
    if is_padding(item, token):
        return {m: np.zeros(item.width) for m in item.names}
    return {m: item.at(m, token) if item.seen(m, token) else item.w[f"null.{m}"] for m in item.names}


def tokenwise(one: Callable[[Item, dict[str, Vector]], Vector]) -> Callable[[Item], Answer]:
    """The equation of an operator with null tokens that answers each token from what is there."""

    def answer(item: Item) -> Answer:
        tokens = range(item.length)
        return [None if is_padding(item, t) else one(item, filled(item, t)) for t in tokens]

    return answer


@equation("feat_linear", "sum", "model_linear", "late")
def weighted_sum(item: Item) -> Answer:
    count, answer = len(item.names), []
    a = {m: item.w.get(f"weight.{m}", np.float64(1 / count)) for m in item.names}
    if item.options.get("weighting") == "softmax":
        a = dict(zip(item.names, softmax(list(a.values())), strict=True))
    for t in range(item.length):
        there = [m for m in item.names if item.seen(m, t)]
        terms = [a[m] * item.at(m, t) for m in there]
        answer.append(np.sum(terms, axis=0) * count / len(there) if there else None)
    return answer


@equation("feat_nonlinear")
def feat_nonlinear(item: Item) -> Answer:
    answer: Answer = []
    for t in range(item.length):
        there = [m for m in item.names if item.seen(m, t)]
        terms = [item.w[f"weight.{m}"] * (item.w[f"map.{m}.weight"] @ item.at(m, t)) for m in there]
        total = np.sum(terms, axis=0) * len(item.names) / max(1, len(there))
        answer.append(gelu(total + item.w["bias"]) if there else None)
    return answer


@equation("product")
def product(item: Item) -> Answer:
    answer: Answer = []
    for t in range(item.length):
        there = [m for m in item.names if item.seen(m, t)]
        answer.append(math.prod(affine(item, f"map.{m}", item.at(m, t)) for m in there) if there else None)
    return answer


@equation("concat", "model_nonlinear")
@tokenwise
def concat(item: Item, x: dict[str, Vector]) -> Vector:
    return affine(item, "project", gelu(affine(item, "expand", np.concatenate(list(x.values())))))


@equation("conv")
def conv(item: Item) -> Answer:
    grid = next((g for m, g in item.grid.items() if len(item.x[m]) == item.length), None)
    height, width = (1, item.length) if grid is None or len(grid) < 2 else grid
    kernel, bias = item.w["conv.weight"], item.w["conv.bias"]
    reach = kernel.shape[2] // 2
    joined = [np.concatenate(list(filled(item, t).values())) for t in range(item.length)]
    answer: Answer = []
    for t in range(item.length):
        y, row, column = bias.copy(), *divmod(t, width)
        for dy in range(-reach, reach + 1):
            for dx in range(-reach, reach + 1):
                if 0 <= row + dy < height and 0 <= column + dx < width:
                    y += kernel[:, :, dy + reach, dx + reach] @ joined[(row + dy) * width + column + dx]
        answer.append(None if is_padding(item, t) else gelu(y))
    return answer


@equation("early")
def early(item: Item) -> Answer:
    answer: Answer = []
    for t in range(item.length):
        stack: list[float] = []
        for m in item.names:
            stack += [*item.at(m, t), 1.0] if item.seen(m, t) else [0.0] * (item.width + 1)
        joined = np.array(stack)
        answer.append(gelu(affine(item, "encoder", joined)) if any(item.seen(m, t) for m in item.names) else None)
    return answer


@equation("gmu")
@tokenwise
def gmu(item: Item, x: dict[str, Vector]) -> Vector:
    h = {m: np.tanh(affine(item, f"map.{m}", x[m])) for m in item.names}
    if len(item.names) == 2:
        one, two = sorted(item.names)
        z = expit(joint(item, f"gate.{one}", x))
        return z * h[one] + (1 - z) * h[two]
    return np.sum([expit(joint(item, f"gate.{m}", x)) * h[m] for m in item.names], axis=0)


@equation("sigmoid_gate")
@tokenwise
def sigmoid_gate(item: Item, x: dict[str, Vector]) -> Vector:
    values = joint(item, "value", {m: x[m] for m in others(item, item.first)})
    return affine(item, "project", expit(affine(item, "gate", x[item.first])) * values)


@equation("film")
@tokenwise
def film(item: Item, x: dict[str, Vector]) -> Vector:
    c = {m: x[m] for m in others(item, item.first)}
    return (1 + joint(item, "scale", c)) * x[item.first] + joint(item, "shift", c)


@equation("bilinear")
@tokenwise
def bilinear(item: Item, x: dict[str, Vector]) -> Vector:
    n = {m: norm(x[m]) for m in item.names}
    y = joint(item, "linear", n)
    for a in item.names:
        for b in item.names:
            if a < b:
                y = y + np.array([n[a] @ slab @ n[b] for slab in item.w[f"pair.{a}-{b}"]])
    return y


@equation("mfb")
@tokenwise
def mfb(item: Item, x: dict[str, Vector]) -> Vector:
    z = math.prod(affine(item, f"map.{m}", norm(x[m])) for m in item.names)
    k = len(z) // item.width
    pooled = np.array([z[o * k : (o + 1) * k].sum() for o in range(item.width)])
    rooted = np.sign(pooled) * np.abs(pooled) / np.sqrt(np.abs(pooled) + 1e-6)
    return rooted / max(np.linalg.norm(rooted), 1e-6)


@equation("low_rank_tensor")
@tokenwise
def low_rank_tensor(item: Item, x: dict[str, Vector]) -> Vector:
    y = item.w["bias"].copy()
    for r, weight in enumerate(item.w["weight"]):
        y += weight * math.prod(item.w[f"factor.{m}"][r] @ np.append(norm(x[m]), 1) for m in item.names)
    return y


@equation("tensor_fusion")
@tokenwise
def tensor_fusion(item: Item, x: dict[str, Vector]) -> Vector:
    tensor = np.ones(())
    for m in sorted(item.names):
        tensor = np.multiply.outer(tensor, np.append(affine(item, f"reduce.{m}", norm(x[m])), 1))
    return affine(item, "project", tensor.ravel())


@equation("channel_exchange")
def channel_exchange(item: Item) -> Answer:
    parts = [filled(item, t) for t in range(item.length)]
    kept = [t for t in range(item.length) if not is_padding(item, t)]
    means = {m: np.sum([parts[t][m] for t in kept], axis=0) / max(1, len(kept)) for m in item.names}
    squeezed = np.maximum(joint(item, "squeeze", means), 0)
    s = {m: expit(affine(item, f"channel.{m}", squeezed)) for m in item.names}
    answer: Answer = []
    for t, x in enumerate(parts):
        looked = np.maximum(joint(item, "look", x), 0)
        place = {m: expit(affine(item, f"place.{m}", looked)) for m in item.names}
        rectified = {
            m: x[m] + 0.5 * np.sum([s[j] * x[j] + place[j] * x[j] for j in others(item, m)], axis=0) for m in item.names
        }
        answer.append(joint(item, "project", rectified) if t in kept else None)
    return answer


@equation("product_of_experts")
def product_of_experts(item: Item) -> Answer:
    """By probabilities: p(y)^(1-M) prod_m p(y | x_m), whose logarithm is the answer."""
    prior = np.array(item.options.get("prior", np.ones(item.width)))
    prior = prior / prior.sum()
    answer: Answer = []
    for t in range(item.length):
        there = [m for m in item.names if item.seen(m, t)]
        p = math.prod(softmax(item.at(m, t) / np.exp(item.w[f"temperature.{m}"])) for m in there)
        answer.append(np.log(p * prior ** (1.0 - len(there))) if there else None)
    return answer


@equation("mixture_of_experts")
@tokenwise
def mixture_of_experts(item: Item, x: dict[str, Vector]) -> Vector:
    logits = joint(item, "gate", x)
    best = np.argsort(-logits)[: item.options.get("top", len(logits))]
    y = np.zeros(item.width)
    for e, g in zip(best, softmax(logits[best]), strict=True):
        y += g * affine(item, f"project.{e}", gelu(joint(item, f"expand.{e}", x)))
    return y


@equation("hybrid")
def hybrid(item: Item) -> Answer:
    """Heads are the identity here."""
    fused = EQUATIONS[item.options.get("inner", "concat")](item.under("inner."))
    layout = next((item.grid[m] for m in item.names if len(item.x[m]) == len(fused)), None)
    answer: Answer = []
    for t, y in enumerate(fused):
        votes = []
        for m in item.names:
            if (len(item.x[m]), item.grid[m]) == (len(fused), layout):
                kept = [item.x[m][t]] if item.seen(m, t) else []
            else:
                kept = [x for n, x in enumerate(item.x[m]) if item.seen(m, n)]
            if kept:
                votes.append(item.w[f"part.{m}"] * np.mean(kept, axis=0))
        aside = np.sum(votes, axis=0) * len(item.names) / max(1, len(votes))
        answer.append(None if y is None else item.w["whole"] * y + aside)
    return answer


@equation("multitask")
def multitask(item: Item) -> Answer:
    shared = EQUATIONS[item.options.get("inner", "concat")](item.under("inner."))
    return [None if h is None else h + affine(item, "project", gelu(affine(item, "expand", h))) for h in shared]


@equation("modality_dropout")
def modality_dropout(item: Item) -> Answer:
    """After training: e_m where a modality is absent; one of them in a sequence, one per place if aligned."""
    inner = item.under("inner.")
    name = item.options.get("inner", "feat_nonlinear")
    every = dict.fromkeys(item.names, True)
    if name in ("cross_attention", "self_attention", "bottleneck", "perceiver", "nl_gate"):
        x = {m: v if item.has[m] else np.tile(item.w[f"null.{m}"], (len(v), 1)) for m, v in item.x.items()}
        real = {m: r if item.has[m] else np.arange(len(r)) == 0 for m, r in item.real.items()}
        return EQUATIONS[name](Item(inner.w, x, real, every, item.grid, inner.options))
    tokens = range(item.length)
    x = {m: np.stack([filled(item, t)[m] for t in tokens]) for m in item.names}
    real = dict.fromkeys(item.names, np.array([not is_padding(item, t) for t in tokens]))
    return EQUATIONS[name](Item(inner.w, x, real, every, item.grid, inner.options))
