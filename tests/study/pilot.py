"""The pilot of a study's difficulty: validation scores of some strategies at some settings. The test split is not read.

    python tests/study/pilot.py 'cls-it[regime=M16]' --fusion bilinear,film,concat --width 16 --steps 400,600 --seeds 2

Seeds are none of a study's, so that a setting is not chosen by the trainings that are shown later. A line per setting
and strategy: the mean of the validation scores, the scores, and seconds of CPU time per training.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from statistics import mean
from tempfile import TemporaryDirectory
from typing import get_args

import torch

from mmbench.models.config import Stride
from mmbench.models.planning import Choices
from mmbench.study.design import WHOLE, Cell, Strategy, design
from mmbench.study.execute import Work
from mmbench.study.opening import Opening, benches
from mmbench.study.settings import Settings
from mmbench.study.torch_bench import TorchBench

# The first of the pilot's seeds; a study counts from 0.
FIRST_SEED = 1000


def main() -> None:
    """Prints a line for each setting and strategy."""
    chosen = _arguments()
    torch.set_num_threads(1)
    for steps in (int(text) for text in chosen.steps.split(",")):
        for strategy, bench in _benches(chosen, steps):
            scores, seconds = _scores(bench, strategy, chosen.seeds, chosen.share)
            shown = " ".join(f"{score:.3f}" for score in scores)
            print(f"{steps:5d} {strategy.name:20s} {mean(scores):.3f}  ({shown})  {seconds:.1f} s", flush=True)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("suite")
    parser.add_argument("--fusion", required=True)
    parser.add_argument("--controls", default="", help="such as only:rgb,wide:rgb")
    parser.add_argument("--seeds", type=int, default=2)
    parser.add_argument("--steps", default="600")
    parser.add_argument("--encoder-steps", type=int)
    parser.add_argument("--share", type=int, default=WHOLE)
    parser.add_argument("--width", type=int)
    parser.add_argument("--batch-size", type=int)
    parser.add_argument("--stride", type=int, choices=get_args(Stride))
    return parser.parse_args()


def _benches(chosen: argparse.Namespace, steps: int) -> Iterator[tuple[Strategy, TorchBench]]:
    shown = {*chosen.fusion.split(","), *chosen.controls.split(",")}
    made = design([chosen.suite], chosen.fusion.split(","), chosen.seeds)
    choices = Choices(
        fusion=None,
        output=Path("unused"),
        steps=steps,
        encoder_steps=chosen.encoder_steps,
        width=chosen.width,
        stride=chosen.stride,
        batch_size=chosen.batch_size,
    )
    for bench in benches(made, Opening(replace(choices, fusion=made.against)), lambda _: None):
        lines, _ = Work(bench, made, Path("unused")).strategies()
        yield from ((line, bench) for line in lines if line.name in shown)


def _scores(bench: TorchBench, strategy: Strategy, seeds: int, share: int) -> tuple[list[float], float]:
    place, start, scores = bench.place, time.process_time(), []
    with TemporaryDirectory() as folder:
        for seed in range(FIRST_SEED, FIRST_SEED + seeds):
            cell = Cell(place.suite, place.track, strategy, seed, share)
            scores.append(bench.validated(cell, Settings(), Path(folder)))
    return scores, (time.process_time() - start) / seeds


if __name__ == "__main__":
    main()
