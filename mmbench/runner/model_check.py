"""Tries a model on a few samples of a suite: what it gives, whether it is stable, what it does without an input."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np

from mmbench.core.errors import ExitCode, SampleError, worst
from mmbench.core.model import Model
from mmbench.core.prediction import ClassScores, Detections, LabelMap, Prediction
from mmbench.core.sample import Batch
from mmbench.runner.execute import predict
from mmbench.runner.measure import Prepared
from mmbench.runner.memory import peak_rss_mib
from mmbench.runner.plan import choose

SAMPLES = 8
# Other batch sizes change the last bits of float arithmetic: scores by so much, labels at ties only.
SCORE_DRIFT = 1e-5
LABEL_DRIFT = 1e-3

Outcome = Prediction | SampleError


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was tried; ``code`` is that of the command when it is not as ``expected``."""

    name: str
    expected: str
    found: str
    code: ExitCode = ExitCode.OK

    @property
    def fine(self) -> bool:
        """Whether it is as expected."""
        return self.code == ExitCode.OK


def check_model(prepared: Prepared) -> list[Finding]:
    """All findings; raises LoadError when the model or a sample cannot be loaded or the model fails in its code."""
    batch = _batch(prepared)
    model = prepared.model
    start = time.perf_counter()
    together = predict(model, batch)
    seconds = time.perf_counter() - start
    findings = [_answers(together, len(batch)), _shapes(together)]
    if findings[0].fine:
        findings += [_repeated(model, batch, together), _alone(model, batch, together)]
    findings += _absent(model, batch)
    findings.append(Finding("time", "", f"{1000 * seconds / len(batch):.1f} ms a sample, the first batch included"))
    findings.append(Finding("memory", "", f"{peak_rss_mib():.0f} MiB at most in this process"))
    return findings


def exit_code(findings: Sequence[Finding]) -> ExitCode:
    """What the command ends with."""
    return worst([finding.code for finding in findings])


def _batch(prepared: Prepared) -> Batch:
    source, ids = prepared.suite.source, prepared.plan.ids
    chosen = choose([source.stratum(i) for i in ids], min(SAMPLES, len(ids)), 0)
    samples = [source.load(ids[i]) for i in chosen]
    return Batch.of(samples, prepared.suite.spec.modalities, prepared.suite.spec.spatial)


def _answers(outcomes: Sequence[Outcome], count: int) -> Finding:
    failed = [one for one in outcomes if isinstance(one, SampleError)]
    found = f"{count - len(failed)} of {count}" + (f"; the first failure: {failed[0]}" if failed else "")
    return Finding("answers", f"{count} finite answers", found, ExitCode.SAMPLES_FAILED if failed else ExitCode.OK)


def _shapes(outcomes: Sequence[Outcome]) -> Finding:
    kinds = dict.fromkeys(described(one) for one in outcomes if not isinstance(one, SampleError))
    return Finding("shapes and types", "", ", ".join(list(kinds)[:4]) or "nothing")


def _repeated(model: Model, batch: Batch, first: Sequence[Outcome]) -> Finding:
    drift = max(_drifts(first, predict(model, batch)))
    code = ExitCode.OK if drift == 0 else ExitCode.UNFIT
    return Finding("the same batch again", "the same answers", _drifted(drift), code)


def _alone(model: Model, batch: Batch, together: Sequence[Outcome]) -> Finding:
    singly = [predict(model, _one(batch, i))[0] for i in range(len(batch))]
    drift = max(_drifts(together, singly))
    limit = LABEL_DRIFT if isinstance(together[0], LabelMap) else SCORE_DRIFT
    code = ExitCode.OK if drift <= limit else ExitCode.UNFIT
    return Finding(f"batches of 1 and of {len(batch)}", f"a difference of at most {limit:g}", _drifted(drift), code)


def _absent(model: Model, batch: Batch) -> Iterator[Finding]:
    """Without one input: answers when the model accepts that, else a failure of each sample and never a guess."""
    for modality in model.info.modalities:
        outcomes = predict(model, _without(batch, modality))
        answered = sum(not isinstance(one, SampleError) for one in outcomes)
        accepts = model.info.accepts_missing and len(model.info.modalities) > 1
        expected = "answers, as the model declares accepts_missing" if accepts else "no answer"
        right = answered == (len(batch) if accepts else 0)
        code = ExitCode.OK if right else ExitCode.LOAD_FAILED
        yield Finding(f"without {modality}", expected, f"{answered} of {len(batch)} answered", code)


def _one(batch: Batch, place: int) -> Batch:
    at = slice(place, place + 1)
    inputs = {m: values[at] for m, values in batch.inputs.items()}
    present = {m: values[at] for m, values in batch.present.items()}
    return replace(batch, ids=batch.ids[at], inputs=inputs, present=present, sizes=batch.sizes[at])


def _without(batch: Batch, modality: str) -> Batch:
    inputs = {**batch.inputs, modality: (None,) * len(batch)}
    present = {**batch.present, modality: np.zeros(len(batch), dtype=np.bool_)}
    return replace(batch, inputs=inputs, present=present)


def _drifts(first: Sequence[Outcome], second: Sequence[Outcome]) -> Iterator[float]:
    for one, other in zip(first, second, strict=True):
        yield _drift(one, other)


def _drift(one: Outcome, other: Outcome) -> float:
    """The share of pixels with another label, the largest difference of scores relative to them; else 0 or 1."""
    if isinstance(one, LabelMap) and isinstance(other, LabelMap) and one.labels.shape == other.labels.shape:
        return float((one.labels != other.labels).mean())
    if isinstance(one, ClassScores) and isinstance(other, ClassScores):
        scale = max(1.0, float(np.abs(one.scores).max()))
        return float(np.abs(one.scores - other.scores).max()) / scale
    if isinstance(one, SampleError) or isinstance(other, SampleError):
        return 1.0
    if isinstance(one, Detections) and isinstance(other, Detections) and one.scores.shape == other.scores.shape:
        return float(np.abs(one.scores - other.scores).max()) if len(one.scores) else 0.0
    return float(one.encode() != other.encode())


def _drifted(drift: float) -> str:
    return "no difference" if drift == 0 else f"a difference of {drift:.2g}"


def described(one: Prediction) -> str:
    """The form of a prediction: ``labels uint8 [60,80]``, ``scores float32 [5]``, ``text``, ``3 boxes``."""
    if isinstance(one, LabelMap):
        return f"labels {one.labels.dtype} [{','.join(map(str, one.labels.shape))}]"
    if isinstance(one, ClassScores):
        return f"scores {one.scores.dtype} [{len(one.scores)}]"
    if isinstance(one, Detections):
        return f"{len(one.scores)} boxes"
    return one.kind
