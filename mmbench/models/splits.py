"""The samples that a model may be trained on: a suite's training and validation splits, never its test split."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from mmbench.content import load_suite
from mmbench.core.errors import NothingMeasured, UsageError
from mmbench.core.key import digest_of
from mmbench.core.source import Source
from mmbench.core.suite import SuiteReference, SuiteSpec
from mmbench.models.config import ReferenceTask
from mmbench.models.subset import WHOLE, Subset
from mmbench.models.tasks.catalogue import TASKS
from mmbench.sources.opening import open_source


@dataclass(frozen=True, slots=True)
class Splits:
    """Two splits of one suite; ``reference`` holds every parameter, ``subset`` says what of ``train`` was kept."""

    spec: SuiteSpec
    reference: SuiteReference
    train: Source
    val: Source
    subset: Subset = WHOLE

    def record(self) -> dict[str, object]:
        """What was trained on, for the checkpoint's training table."""
        return {"part": self.subset.part, "imbalance": self.subset.imbalance, "samples": len(self.train.ids)}

    def stamp(self) -> str:
        """Digest of what the samples are: the source and its parameters, and each sample's own stamp."""
        samples = [[source.stamp(i) for i in source.ids] for source in (self.train, self.val)]
        return digest_of([self.spec.source.model_dump(mode="json"), dict(self.reference.parameters), samples])


def open_splits(text: str, chosen: Mapping[str, str], roots: Mapping[str, Path], subset: Subset = WHOLE) -> Splits:
    """Opens the splits of the suite that ``text`` (a reference or a path) means, with the parameters ``chosen``.

    ``roots`` are data roots by suite name, "" for any suite; ``subset`` is of the training split alone. Raises
    UsageError, LoadError, or NothingMeasured when a split is empty.
    """
    spec, written = load_suite(text)
    reference_task(spec)
    parameters = spec.resolve({**dict(written.parameters), **chosen})
    if spec.split in (spec.train_split, spec.val_split):
        raise UsageError(
            f"Suite {spec.name!r} measures on split {spec.split!r} and names it for training too; "
            "set train_split and val_split to others in the suite file."
        )
    reference = SuiteReference(name=spec.name, version=spec.version, parameters=tuple(sorted(parameters.items())))
    root = roots.get(spec.name, roots.get(""))
    train, val = (open_source(spec, parameters, split, root) for split in (spec.train_split, spec.val_split))
    splits = Splits(spec, reference, subset.of(train), val, subset)
    _check(splits)
    return splits


def reference_task(spec: SuiteSpec) -> ReferenceTask:
    """The suite's task; raises UsageError when no model is trained for it."""
    for task in TASKS:
        if task == spec.task:
            return task
    known = ", ".join(task for task in TASKS if task != "look-map")  # of encoders alone
    raise UsageError(
        f"No model is trained here for {spec.task}, which suite {spec.name!r} is; choose a suite of one of: {known}."
    )


def _check(splits: Splits) -> None:
    spec = splits.spec
    for source, split in ((splits.train, spec.train_split), (splits.val, spec.val_split)):
        if not source.ids:
            raise NothingMeasured(f"Split {split!r} of suite {spec.name!r} is empty; training needs samples there.")
    # Two folders may well both have a 0001.png: a sample is shared when its files are the same, too.
    shared = [i for i in set(splits.train.ids) & set(splits.val.ids) if splits.train.stamp(i) == splits.val.stamp(i)]
    if shared and spec.train_split != spec.val_split:
        raise UsageError(
            f"Splits {spec.train_split!r} and {spec.val_split!r} of suite {spec.name!r} share {len(shared)} samples "
            f"({min(shared)!r}); the best weights must be chosen on samples that were not trained on."
        )
