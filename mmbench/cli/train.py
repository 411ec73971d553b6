"""``mmbench train``: trains a reference model on a suite."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from mmbench.cli import screen
from mmbench.cli.training_flags import height_and_width, one_of, positive_rate, power_of_two, require_torch
from mmbench.core.errors import ExitCode

if TYPE_CHECKING:
    from mmbench.models.training import Trained


def _option(panel: str, *names: str, **settings: Any) -> Any:
    return typer.Option(*names, rich_help_panel=panel, **settings)


_WHAT, _MODEL, _HOW = "What is trained on", "The model", "How it is trained"

Suite = Annotated[str, _option(_WHAT, help="Name, reference like 'seg@1\\[regime=S4]', or TOML file.")]
Settings = Annotated[
    list[str] | None, _option(_WHAT, "--set", metavar="NAME=VALUE", help="A parameter of the suite; repeat.")
]
Tier = Annotated[str | None, _option(_WHAT, help="The suite's size: short for --set tier=TIER.")]
Roots = Annotated[
    list[str] | None, _option(_WHAT, metavar="[SUITE=]PATH", help="Folder of the data; else under MMBENCH_DATA.")
]
HoldOut = Annotated[
    str | None,
    _option(
        _WHAT, metavar="KIND", help="Combinations that are tested and never trained on: short for --set hold_out=KIND."
    ),
]
Part = Annotated[
    int, _option(_WHAT, metavar="PERCENT", help="Train on 1, 2, 5, 10 or 25 % of the samples, each within the next.")
]
Imbalance = Annotated[
    int, _option(_WHAT, metavar="RATIO", help="10 or 100: the first class is so many times as frequent as the last.")
]
Fusion = Annotated[
    str | None, _option(_MODEL, help="A fusion (mmbench show fusions), or only:MODALITY for a unimodal model.")
]
Arch = Annotated[
    str | None,
    _option(_MODEL, metavar="NAME", help="A reference architecture, as vgg16_bert_linear; brings its fusion."),
]
PretrainedFolder = Annotated[
    Path | None, _option(_MODEL, "--pretrained", metavar="DIR", help="Its encoders' weights: vgg16/, resnet/, bert/.")
]
FusionOptions = Annotated[
    list[str] | None, _option(_MODEL, "--fusion-set", metavar="NAME=VALUE", help="An option of the fusion; repeat.")
]
Width = Annotated[
    int | None, _option(_MODEL, min=1, max=512, help="Channels of a feature; 16 to 64 by default, by the task.")
]
Stride = Annotated[
    int | None, _option(_MODEL, min=1, max=8, help="1, 2, 4 or 8: features at 1/stride of the resolution.")
]
Size = Annotated[str | None, _option(_MODEL, metavar="HxW", help="Resize inputs to this, in training and in runs.")]
Output = Annotated[
    Path, _option(_HOW, "--output", "-o", help="The checkpoint: .safetensors, or any other suffix for a torch file.")
]
Seed = Annotated[int, _option(_HOW, min=0, help="Same seed, device and threads: same weights.")]
Steps = Annotated[int | None, _option(_HOW, min=1, help="Gradient steps; 600 to 10,000 by default, by the task.")]
EncoderSteps = Annotated[
    int | None, _option(_HOW, min=1, help="Steps of each encoder's own stage; 800 to 1,500 by default.")
]
Encoders = Annotated[
    str | None, _option(_HOW, help="joint; or first trained on signatures, then frozen or finetuned (generated data).")
]
BatchSize = Annotated[
    int | None, _option(_HOW, min=1, help="Samples per step; by default 32 on generated suites, 8 on others.")
]
Rate = Annotated[float | None, _option(_HOW, "--lr", help="Highest learning rate; 0.003 by default.")]
Crop = Annotated[
    str | None,
    _option(_HOW, metavar="HxW", help="Size of the random views; the inputs', at most 43,200 px, by default."),
]
Augment = Annotated[str | None, _option(_HOW, help="crop (scale, crop, flip, brightness) or none.")]
ClassWeights = Annotated[
    float | None,
    _option(_HOW, min=0, max=1, help="Weight of a class: its share ** -POWER; 0.5 by default.", metavar="POWER"),
]
Focal = Annotated[
    float, _option(_HOW, min=0, help="Exponent of the focal loss, which counts what is hard; 0 is cross-entropy.")
]
TaskWeights = Annotated[
    list[str] | None, _option(_HOW, "--task-weight", metavar="TASK=WEIGHT", help="Of a suite of several tasks; repeat.")
]
Balance = Annotated[
    str | None, _option(_HOW, help="ogm-ge, or gradblend with --fusion hybrid: no modality learns at others' cost.")
]
Device = Annotated[str, _option(_HOW, help="auto, cpu, cuda, cuda:N or mps.")]
Precision = Annotated[str, _option(_HOW, help="fp32 or bf16.")]
Threads = Annotated[int | None, _option(_HOW, min=1, help="CPU threads.")]
Shared = Annotated[
    bool,
    _option(
        _HOW,
        "--share-encoders",
        help="Write frozen encoders, as float16, into files that other checkpoints share, one folder up.",
    ),
]
Card = Annotated[
    str | None,
    _option(_HOW, metavar="TITLE", help="Write model.toml beside the checkpoint: what it is, how it was made."),
]
TensorBoard = Annotated[Path | None, _option(_HOW, metavar="DIR", help="Write loss and validation as event files.")]


def train(
    context: typer.Context,
    suite: Suite,
    output: Output,
    fusion: Fusion = None,
    arch: Arch = None,
    pretrained: PretrainedFolder = None,
    settings: Settings = None,
    tier: Tier = None,
    data_root: Roots = None,
    hold_out: HoldOut = None,
    part: Part = 100,
    imbalance: Imbalance = 1,
    fusion_set: FusionOptions = None,
    width: Width = None,
    stride: Stride = None,
    size: Size = None,
    seed: Seed = 0,
    steps: Steps = None,
    encoder_steps: EncoderSteps = None,
    encoders: Encoders = None,
    batch_size: BatchSize = None,
    rate: Rate = None,
    crop: Crop = None,
    augment: Augment = None,
    class_weights: ClassWeights = None,
    focal: Focal = 0.0,
    task_weight: TaskWeights = None,
    balance: Balance = None,
    device: Device = "auto",
    precision: Precision = "fp32",
    threads: Threads = None,
    tensorboard: TensorBoard = None,
    share_encoders: Shared = False,
    card: Card = None,
) -> int:
    """Train a model on a suite's training split; the best weights are chosen on its validation split.

    On generated suites each encoder first learns what its own modality shows; that is kept in a cache.

    A training that was stopped, by ctrl-C or by kill, is resumed by the same command.

    mmbench train --suite seg --fusion concat -o my.ckpt

    mmbench train --suite seg-camvid --data-root DIR --fusion only:rgb -o camvid.safetensors

    mmbench train --suite vqa --arch resnet_bert_vqa --pretrained DIR -o vqa.safetensors
    """
    require_torch("mmbench train")
    import torch

    from mmbench.adapters.numerics import choose_device
    from mmbench.cli.watching_training import TrainingReporter, both, curves_in
    from mmbench.models.card import card_of
    from mmbench.models.planning import Choices, plan
    from mmbench.models.splits import open_splits
    from mmbench.models.subset import Subset
    from mmbench.models.training import train as run_training
    from mmbench.runner.suites import parse_roots, parse_settings

    choices = Choices(
        fusion=fusion,
        output=output,
        arch=arch,
        pretrained=pretrained,
        seed=seed,
        steps=steps,
        encoder_steps=encoder_steps,
        encoders=one_of("--encoders", encoders, ("joint", "frozen", "finetuned")),
        batch_size=batch_size,
        rate=positive_rate(rate),
        width=width,
        stride=power_of_two(stride),
        size=height_and_width("--size", size),
        crop=height_and_width("--crop", crop),
        augmentation=one_of("--augment", augment, ("none", "crop")),
        class_weight_power=class_weights,
        focal=focal,
        task_weights=_values(task_weight or ()),
        balance=one_of("--balance", balance, ("ogm-ge", "gradblend")) or "none",
        precision=one_of("--precision", precision, ("fp32", "bf16")),
        device=choose_device(device),
        fusion_options=_values(fusion_set or ()),
        shares_encoders=share_encoders,
    )
    if threads is not None:
        torch.set_num_threads(threads)
    settings = [*(settings or ()), *([f"hold_out={hold_out}"] if hold_out else ())]
    chosen = parse_settings([*settings, *([f"tier={tier}"] if tier else ())])
    splits = open_splits(suite, chosen, parse_roots(data_root or ()), Subset(part, imbalance))
    planned = plan(splits, choices)
    with TrainingReporter() as reporter, curves_in(tensorboard) as curves:
        trained = run_training(splits, planned, both(reporter.told, curves.told))
    if card is not None:
        screen.save(output.with_name("model.toml"), card_of(trained, card, _command(context)))
    _conclude(trained, output, _run_flags(suite, settings, tier, data_root))
    return ExitCode.OK


def _conclude(trained: Trained, output: Path, flags: list[str]) -> None:
    """What was made, and the next command."""
    import shlex

    record = trained.metadata["training"]
    score = record["validation"]
    parameters = sum(parameter.numel() for parameter in trained.model.parameters())
    typer.echo(
        f"{output}: {parameters:,} parameters, validation {score['metric']} {score['value']:.4f} after "
        f"{record['best_after']} of {record['steps']} steps ({record['items_seen']:,} items)"
    )
    typer.echo(f"Next: {shlex.join(['mmbench', 'run', *flags, '--model', str(output)])}")


def _command(context: typer.Context) -> list[str]:
    """What was typed, without what does not matter for the weights."""
    import shlex

    typed = ["mmbench", *(context.obj or sys.argv[1:])]
    place = typed.index("--card") if "--card" in typed else len(typed)
    return [shlex.quote(word) for word in typed[:place] + typed[place + 2 :]]


def _run_flags(suite: str, settings: list[str] | None, tier: str | None, roots: list[str] | None) -> list[str]:
    flags = ["--suite", suite]
    for name, values in (("--set", settings), ("--tier", [tier] if tier else []), ("--data-root", roots)):
        flags += [part for value in values or () for part in (name, value)]
    return flags


def _values(texts: list[str] | tuple[()]) -> dict[str, Any]:
    """``name=value`` pairs of a fusion's options; numbers become numbers."""
    import json

    from mmbench.runner.suites import parse_settings

    options: dict[str, Any] = {}
    for name, value in parse_settings(texts).items():
        try:
            options[name] = json.loads(value)
        except json.JSONDecodeError:
            options[name] = value
    return options
