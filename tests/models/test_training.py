"""A training from beginning to end, on a source that needs fusion: class = xor of what two modalities show."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch

from mmbench.core.errors import Interrupted, LoadError, UnknownName, UsageError
from mmbench.models import encoder_cache
from mmbench.models.assembled import load_model
from mmbench.models.checkpoint import read_checkpoint, weights_digest
from mmbench.models.loop import Progress
from mmbench.models.plan import Plan
from mmbench.models.recipe import Recipe
from mmbench.models.splits import Splits
from mmbench.models.training import Trained, train

RECIPE = Recipe(steps=12, batch_size=4, rate=1e-2, validations=4, modality_dropout=0.1)
CPU = torch.device("cpu")


def plan_for(output: Path, **changes: Any) -> Plan:
    return replace(Plan("concat", RECIPE, RECIPE, output, CPU, width=4), **changes)


def silent(_: Progress) -> None:
    """Tells nobody."""


def stopping_at(stage: str, step: int) -> Any:
    """Presses ctrl-C after that step."""

    def report(progress: Progress) -> None:
        if (progress.stage, progress.step) == (stage, step):
            raise KeyboardInterrupt

    return report


def trained(splits: Splits, plan: Plan) -> Trained:
    return train(splits, plan, silent)


def test_same_seed_same_bytes(splits: Splits, tmp_path: Path) -> None:
    """Two trainings with one seed write the same file; another seed gives other weights; no global state is moved."""
    before = torch.random.get_rng_state()
    first, second = (trained(splits, plan_for(tmp_path / name)) for name in ("a.ckpt", "b.ckpt"))
    assert (tmp_path / "a.ckpt").read_bytes() == (tmp_path / "b.ckpt").read_bytes()
    other = trained(splits, plan_for(tmp_path / "c.ckpt", recipe=RECIPE.model_copy(update={"seed": 1})))
    assert first.digest == second.digest != other.digest
    assert torch.equal(torch.random.get_rng_state(), before)


def test_the_checkpoint_says_what_was_done(splits: Splits, tmp_path: Path) -> None:
    """Budget in steps and items, seed, validation score; and it holds the best weights, self-contained."""
    scores: dict[int, float] = {}

    def keep(progress: Progress) -> None:
        if progress.score is not None:
            scores[progress.step] = progress.score

    done = train(splits, plan_for(tmp_path / "my.safetensors"), keep)
    record = done.metadata["training"]
    assert (record["steps"], record["items_seen"], record["seed"]) == (12, 48, 0)
    assert record["suite"] == "toy@1"
    assert list(scores) == [3, 6, 9, 12]
    assert record["validation"] == {"metric": "miou", "value": max(scores.values())}
    assert scores[record["best_after"]] == max(scores.values())
    model, metadata = load_model(tmp_path / "my.safetensors")
    assert metadata == done.metadata
    assert weights_digest(model.state_dict()) == done.digest
    assert not list(tmp_path.glob("*.training"))


def test_what_a_fusion_drops_follows_from_the_seed(splits: Splits, tmp_path: Path) -> None:
    """Draws within a step are those of that step: repeated, and stopped and resumed, the training ends the same."""
    plans = [plan_for(tmp_path / name, fusion="modality_dropout") for name in ("a.ckpt", "b.ckpt")]
    trained(splits, plans[0])
    with pytest.raises(Interrupted):
        train(splits, plans[1], stopping_at("modality_dropout", 7))
    torch.rand(3)
    trained(splits, plans[1])
    assert plans[0].output.read_bytes() == plans[1].output.read_bytes()


@pytest.mark.parametrize("step", [1, 3, 7, 12])
def test_resumed_after_ctrl_c_it_ends_the_same(splits: Splits, tmp_path: Path, step: int) -> None:
    """Stopped after any step and started again, the checkpoint is that of an uninterrupted training, byte for byte."""
    trained(splits, plan_for(tmp_path / "whole.ckpt"))
    plan = plan_for(tmp_path / "my.ckpt")
    with pytest.raises(Interrupted, match=f"after {step} of 12 steps of concat; the same command resumes it"):
        train(splits, plan, stopping_at("concat", step))
    assert not plan.output.exists()
    told: list[int] = []
    train(splits, plan, lambda progress: told.append(progress.step))
    assert plan.output.read_bytes() == (tmp_path / "whole.ckpt").read_bytes()
    assert told == list(range(1 + step - step % 3, 13))  # from the last validation on
    assert not plan.state_file.exists()


def test_a_changed_plan_starts_anew(splits: Splits, tmp_path: Path) -> None:
    """What is left of another training (other data, other settings) is not taken up."""
    plan = plan_for(tmp_path / "my.ckpt")
    with pytest.raises(Interrupted):
        train(splits, plan, stopping_at("concat", 6))
    changed = replace(splits, train=replace(splits.train, shift=3))  # type: ignore[type-var]
    told: list[int] = []
    train(changed, plan, lambda progress: told.append(progress.step))
    assert told[0] == 1


def test_a_broken_state_is_a_sentence(splits: Splits, tmp_path: Path) -> None:
    plan = plan_for(tmp_path / "my.ckpt")
    plan.state_file.write_bytes(b"half a fi")
    with pytest.raises(LoadError, match=r"my\.ckpt\.training cannot be read; delete it to start anew\.$"):
        trained(splits, plan)


def test_encoders_learn_their_signature_once(signed: Splits, tmp_path: Path, cache: Path) -> None:
    """A stage for each modality, then the whole; another fusion finds the encoders in the cache."""
    stages: list[str] = []
    plan = plan_for(tmp_path / "my.ckpt", encoders="frozen")
    first = train(signed, plan, lambda progress: stages.append(progress.stage))
    assert list(dict.fromkeys(stages)) == ["encoder rgb", "encoder depth", "concat"]
    assert len(list(cache.glob("*.safetensors"))) == 2
    assert not list(cache.glob("*.training"))
    assert first.metadata["training"]["encoder_stages"]["rgb"]["steps"] == 12
    stages.clear()
    second = train(
        signed, replace(plan, fusion="late", output=tmp_path / "late.ckpt"), lambda p: stages.append(p.stage)
    )
    assert set(stages) == {"late"}
    for name, value in first.model.encoders.state_dict().items():
        assert torch.equal(second.model.encoders.state_dict()[name], value)
    # A unimodal model shares its encoder too.
    train(signed, replace(plan, fusion="only:rgb", output=tmp_path / "rgb.ckpt"), silent)
    assert len(list(cache.glob("*.safetensors"))) == 2


def test_with_and_without_the_cache_the_same_bytes(signed: Splits, tmp_path: Path, cache: Path) -> None:
    """The checkpoint does not tell whether its encoders came from the cache, or from a cache file that was broken."""
    outputs = [tmp_path / f"{n}.ckpt" for n in range(3)]
    for n, output in enumerate(outputs):
        trained(signed, plan_for(output, encoders="frozen"))
        if n == 1:
            next(cache.glob("*.safetensors")).write_bytes(b"broken")
    assert len({output.read_bytes() for output in outputs}) == 1


def test_finetuned_encoders_move_and_frozen_ones_do_not(signed: Splits, tmp_path: Path, cache: Path) -> None:
    moved = []
    for encoders in ("frozen", "finetuned"):
        done = trained(signed, plan_for(tmp_path / "my.ckpt", encoders=encoders))
        kept = {p.stem: read_checkpoint(p)[0] for p in cache.glob("*.safetensors")}
        mine = done.model.encoders["rgb"].state_dict()
        moved.append(
            not any(
                all(torch.equal(mine[n], s[n]) for n in mine)
                for s in kept.values()
                if mine.keys() == s.keys() and all(mine[n].shape == s[n].shape for n in mine)
            )
        )
    assert moved == [False, True]


@pytest.mark.parametrize(("stage", "step"), [("encoder rgb", 5), ("encoder depth", 3), ("concat", 4)])
def test_stopped_in_any_stage_it_ends_the_same(
    signed: Splits, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, stage: str, step: int
) -> None:
    for name in ("whole", "stopped"):
        monkeypatch.setenv("MMBENCH_CACHE", str(tmp_path / name))
        plan = plan_for(tmp_path / f"{name}.ckpt", encoders="frozen")
        if name == "stopped":
            with pytest.raises(Interrupted, match=f"steps of {stage}"):
                train(signed, plan, stopping_at(stage, step))
        trained(signed, plan)
    assert (tmp_path / "stopped.ckpt").read_bytes() == (tmp_path / "whole.ckpt").read_bytes()


def test_fusion_learns_what_no_modality_shows(signed: Splits, tmp_path: Path, cache: Path) -> None:
    """Known answer: the class is an exclusive or, so concat gets it all and a unimodal model must guess it."""
    recipe = Recipe(steps=80, batch_size=8, rate=1e-2, validations=2)
    scores = {
        fusion: trained(
            signed,
            plan_for(tmp_path / "my.ckpt", fusion=fusion, recipe=recipe, encoder=recipe, encoders="frozen", width=8),
        ).metadata["training"]["validation"]["value"]
        for fusion in ("concat", "only:rgb")
    }
    assert scores["concat"] > 0.9
    assert scores["only:rgb"] < 0.75


def test_signatures_are_not_invented(splits: Splits, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"Suite 'toy' knows no signatures.*use --encoders joint"):
        trained(splits, plan_for(tmp_path / "my.ckpt", encoders="frozen"))


@pytest.mark.parametrize(
    ("fusion", "error", "sentence"),
    [
        ("concatt", UnknownName, "There is no fusion named 'concatt'; did you mean 'concat'"),
        ("only:sonar", UsageError, "--fusion only:sonar: there is no modality 'sonar'; the suite has: rgb, depth"),
    ],
)
def test_a_fusion_that_does_not_fit(
    splits: Splits, tmp_path: Path, fusion: str, error: type[Exception], sentence: str
) -> None:
    with pytest.raises(error, match=sentence):
        trained(splits, plan_for(tmp_path / "my.ckpt", fusion=fusion))


def test_one_modality_cannot_be_fused(splits: Splits, tmp_path: Path) -> None:
    one = {"rgb": splits.train.modalities["rgb"]}
    single = replace(splits, train=replace(splits.train, modalities=one))  # type: ignore[type-var]
    with pytest.raises(UsageError, match=r"joins modalities, but the suite has one; use --fusion only:rgb\.$"):
        trained(single, plan_for(tmp_path / "my.ckpt"))


def test_a_loss_that_explodes_is_a_sentence(splits: Splits, tmp_path: Path) -> None:
    recipe = RECIPE.model_copy(update={"rate": 1e30, "warmup": 0.0})
    with pytest.raises(UsageError, match=r"The loss became (nan|inf) at step \d+ of concat; lower --lr\.$"):
        trained(splits, plan_for(tmp_path / "my.ckpt", recipe=recipe))


def test_cache_is_where_the_variable_says(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("MMBENCH_CACHE", str(tmp_path))
    assert encoder_cache.folder() == tmp_path / "encoders"
    monkeypatch.delenv("MMBENCH_CACHE")
    monkeypatch.setenv("HOME", str(tmp_path))
    assert encoder_cache.folder() == tmp_path / ".cache" / "mmbench" / "encoders"


def test_texts_and_pictures_are_classified_together(talking: Splits, tmp_path: Path, cache: Path) -> None:
    """Known answer: concat learns the exclusive or of a word and a picture; either alone must guess."""
    recipe = Recipe(steps=120, batch_size=8, rate=1e-2, validations=4, class_weight_power=0.0)
    plan = plan_for(tmp_path / "my.ckpt", recipe=recipe, encoder=recipe, encoders="frozen", width=8, stride=8)
    scores = {
        fusion: trained(talking, replace(plan, fusion=fusion)).metadata["training"]["validation"]
        for fusion in ("concat", "only:rgb", "only:text")
    }
    assert scores["concat"] == {"metric": "accuracy", "value": 1.0}
    assert scores["only:rgb"]["value"] == scores["only:text"]["value"] == 0.5


@pytest.mark.parametrize(("stage", "step"), [("encoder text", 5), ("concat", 7)])
def test_stopped_with_texts_it_ends_the_same(
    talking: Splits, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, stage: str, step: int
) -> None:
    for name in ("whole", "stopped"):
        monkeypatch.setenv("MMBENCH_CACHE", str(tmp_path / name))
        plan = plan_for(tmp_path / f"{name}.ckpt", encoders="frozen", stride=8)
        if name == "stopped":
            with pytest.raises(Interrupted, match=f"steps of {stage}"):
                train(talking, plan, stopping_at(stage, step))
        trained(talking, plan)
    assert (tmp_path / "stopped.ckpt").read_bytes() == (tmp_path / "whole.ckpt").read_bytes()
