"""The equations of the operators that attend, in plain loops over one item; see ``equations``."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from equations import Answer, Item, Vector, affine, equation, gelu, norm, others, softmax


def place(grid: tuple[int, ...] | None, length: int, width: int, token: int) -> Vector:
    """Sine and cosine of the coordinates, in turn over the axes."""
    sizes = grid or (length,)
    where = np.unravel_index(token, sizes)
    code = np.zeros(width)
    for c in range(width):
        axis, number = c % len(sizes), c // len(sizes)
        angle = where[axis] / 100 ** (2 * (number // 2) * len(sizes) / width)
        code[c] = math.cos(angle) if number % 2 else math.sin(angle)
    return code


def placed(item: Item, m: str) -> list[Vector]:
    """x + e_m + p, with x = 0 where it must not be read."""
    tokens = []
    for t, x in enumerate(item.x[m]):
        seen = x if item.seen(m, t) else np.zeros(item.width)
        tokens.append(seen + item.w[f"kind.{m}"] + place(item.grid[m], len(item.x[m]), item.width, t))
    return tokens


def visible(item: Item, m: str, tokens: list[Vector]) -> list[Vector]:
    return [v for t, v in enumerate(tokens) if item.seen(m, t)]


def layer_norm(item: Item, name: str, x: Vector) -> Vector:
    return norm(x) * item.w[f"{name}.weight"] + item.w[f"{name}.bias"]


def attend(item: Item, name: str, x: Vector, memory: Sequence[Vector], heads: int) -> Vector:
    """One token reads a memory of which everything is visible."""
    q = affine(item, f"{name}.query", x)
    size = len(q) // heads
    read = np.zeros_like(q)
    for h in range(heads):
        cut = slice(h * size, (h + 1) * size)
        scores = [q[cut] @ affine(item, f"{name}.key", k)[cut] / math.sqrt(size) for k in memory]
        for share, v in zip(softmax(scores), memory, strict=True):
            read[cut] += share * affine(item, f"{name}.value", v)[cut]
    return affine(item, f"{name}.out", read)


def block(item: Item, name: str, x: Vector, memory: Sequence[Vector]) -> Vector:
    """x' = x + Att(N x, N m, N m), x' + FFN(N x'); without a norm of its own the memory has that of x."""
    heads = item.options.get("heads") or math.gcd(item.width, 4)
    own = f"{name}.memory" if f"{name}.memory.weight" in item.w else f"{name}.before"
    read = [layer_norm(item, own, v) for v in memory]
    x = x + attend(item, f"{name}.attention", layer_norm(item, f"{name}.before", x), read, heads)
    inner = gelu(affine(item, f"{name}.expand", layer_norm(item, f"{name}.after", x)))
    return x + affine(item, f"{name}.project", inner)


def at_anchor(item: Item, y: list[Vector]) -> Answer:
    """Padding of the first modality; where that is absent a map has all its tokens, a sequence the first one."""
    grid = item.grid[item.first]
    if item.has[item.first]:
        return [v if item.real[item.first][t] else None for t, v in enumerate(y)]
    return [v if t == 0 or (grid is not None and len(grid) > 1) else None for t, v in enumerate(y)]


def mean_at_anchor(item: Item, tokens: dict[str, list[Vector]]) -> Answer:
    """The mean over what is present; one on another layout enters as the mean of its tokens."""
    there = [m for m in item.names if item.has[m]] or item.names
    length, grid = len(item.x[item.first]), item.grid[item.first]
    terms = []
    for m in there:
        if (len(tokens[m]), item.grid[m]) == (length, grid):
            terms.append(tokens[m])
        else:
            kept = visible(item, m, tokens[m])
            terms.append([np.sum(kept, axis=0) / max(1, len(kept)) + np.zeros(item.width)] * length)
    return at_anchor(item, [np.mean([term[t] for term in terms], axis=0) for t in range(length)])


@equation("nl_gate")
def nl_gate(item: Item) -> Answer:
    memory = [item.w["null"]]
    for m in others(item, item.first):
        memory += visible(item, m, placed(item, m))
    y = []
    for x in placed(item, item.first):
        q = item.w["query.weight"] @ x
        shares = softmax([q @ (item.w["key.weight"] @ k) / math.sqrt(item.width) for k in memory])
        y.append(q + sum(share * (item.w["value.weight"] @ v) for share, v in zip(shares, memory, strict=True)))
    return at_anchor(item, y)


@equation("cross_attention")
def cross_attention(item: Item) -> Answer:
    tokens = {m: placed(item, m) for m in item.names}
    for layer in range(item.options.get("layers", 1)):
        after = {}
        for m in item.names:
            memory = [item.w["null"]]
            for other in others(item, m):
                memory += visible(item, other, tokens[other])
            after[m] = [block(item, f"blocks.{layer}.{m}", x, memory) for x in tokens[m]]
        tokens = after
    return mean_at_anchor(item, tokens)


@equation("self_attention")
def self_attention(item: Item) -> Answer:
    null, tokens = item.w["null"], {m: placed(item, m) for m in item.names}
    for layer in range(item.options.get("layers", 1)):
        memory = [null]
        for m in item.names:
            memory += visible(item, m, tokens[m])
        tokens = {m: [block(item, f"blocks.{layer}", x, memory) for x in tokens[m]] for m in item.names}
        null = block(item, f"blocks.{layer}", null, memory)
    return at_anchor(item, tokens[item.first])


@equation("bottleneck")
def bottleneck(item: Item) -> Answer:
    tokens, z = {m: placed(item, m) for m in item.names}, list(item.w["neck"])
    there = [m for m in item.names if item.has[m]] or item.names
    for layer in range(item.options.get("layers", 2)):
        necks = {}
        for m in item.names:
            memory = [*z, *visible(item, m, tokens[m])]
            necks[m] = [block(item, f"blocks.{layer}.{m}", v, memory) for v in z]
            tokens[m] = [block(item, f"blocks.{layer}.{m}", v, memory) for v in tokens[m]]
        z = [np.mean([necks[m][n] for m in there], axis=0) for n in range(len(z))]
    return mean_at_anchor(item, tokens)


@equation("perceiver")
def perceiver(item: Item) -> Answer:
    memory = [item.w["null"]]
    for m in item.names:
        memory += visible(item, m, placed(item, m))
    z = [layer_norm(item, "answer", block(item, "read", latent, memory)) for latent in item.w["latents"]]
    heads = item.options.get("heads") or math.gcd(item.width, 4)
    return at_anchor(
        item, [x + attend(item, "ask", layer_norm(item, "query", x), z, heads) for x in placed(item, item.first)]
    )
