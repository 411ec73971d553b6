"""The suite reference and the comparability key of a latency run."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mmbench.core.key import ComparabilityKey, digest_of
from mmbench.core.suite import SuiteReference
from mmbench.perf.estimating import METRICS
from mmbench.perf.preflight import fingerprint

if TYPE_CHECKING:
    from mmbench.perf.measured import Measured

SUITE, VERSION = "latency", 1


def latency_reference(measured: Measured) -> SuiteReference:
    """``latency@1[compile=no,device=cpu,inputs=seg,precision=fp32,threads=2]``."""
    execution, subject = measured.details.execution, measured.request.subject
    parameters = {
        "compile": "yes" if subject.compile else "no",
        "device": execution.device.partition(":")[0],
        "inputs": SuiteReference.parse(subject.suite).name if not subject.suite.endswith(".toml") else "file",
        "precision": execution.precision,
        "threads": str(execution.threads),
    }
    return SuiteReference(name=SUITE, version=VERSION, parameters=tuple(sorted(parameters.items())))


def latency_key(reference: SuiteReference, measured: Measured) -> ComparabilityKey:
    """Equal for times that may stand side by side: the machine's hard facts are in it, the model is not."""
    subject = measured.request.subject
    hard = measured.machine.hard
    return ComparabilityKey(
        suite=SUITE,
        version=VERSION,
        parameters=dict(reference.parameters),
        split="",
        subset="",
        ids=digest_of([subject.suite, subject.seed]),
        data=digest_of(subject.suite),
        condition="clean",
        inference={"machine": f"{hard.get('gpu') or hard.get('cpu')} {fingerprint(hard)}", "inputs": subject.suite},
        metrics=dict.fromkeys(METRICS, 1),
    )
