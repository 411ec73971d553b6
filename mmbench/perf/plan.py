"""What a latency run will do: the subject, the rules for the device, and how long it takes."""

from __future__ import annotations

import dataclasses
import tomllib
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from mmbench import content
from mmbench.adapters.locator import Locator
from mmbench.core.errors import UsageError
from mmbench.core.model import ModelOptions
from mmbench.perf.energy import find_counter
from mmbench.perf.host import allowed_cpus
from mmbench.perf.protocol import BlockRule, WarmUpRule
from mmbench.perf.replication import LOOKS
from mmbench.perf.request import Request, Rules, Subject, Sweep

BATCHES = (1, 2, 4, 8, 16, 32)
# A sweep that the user did not spell out ends where two steps in a row gain less.
LEAST_GAIN = 0.02
# Shares of the budget: such a sweep in one process, so that two of them fit; the stages, and the server, each.
_SWEEP_SHARE, _DETAIL_SHARE = 0.3, 0.15
# Seconds that the import of torch and the making of inputs take in a process, roughly.
_START_S = 6.0
# Seconds of the server scenario and the operations of a model of some milliseconds, and of a window of energy.
_SERVER_S, _ENERGY_S = 5.0, 20.0
# Of a model of some hundred operators on a CPU, in the first process.
_COMPILE_S = 30.0
# A process measures throughput for so long; together they reach the three seconds of the protocol.
_OFFLINE_S = 3.0


@dataclass(frozen=True, slots=True)
class LatencyOptions:
    """The flags of a latency run. ``budget_s``: no process is started after so many seconds. ``slo_ms`` None: 5 times
    the typical request. ``resident``: one process alone, for models too big to be restarted. ``full_sweep``: every
    batch size is measured, as the user spelled them out; else the sweep may end early.
    """

    results: Path = Path("results")
    model: ModelOptions = field(default_factory=ModelOptions)
    batches: tuple[int, ...] = BATCHES
    full_sweep: bool = False
    inputs_from: str | None = None
    root: str | None = None
    compile: bool = False
    slo_ms: float | None = None
    budget_s: float = 150.0
    resident: bool = False
    seed: int = 0
    argv: tuple[str, ...] = ()

    @property
    def threads(self) -> int:
        """CPU threads: as many as processors are allowed, unless the user says."""
        return self.model.threads or max(1, int(allowed_cpus()))


def request(locator: str, options: LatencyOptions) -> Request:
    """The request of one replicate; raises UsageError when nobody says where the inputs come from."""
    subject = Subject(
        locator=locator,
        suite=inputs_of(locator, options.inputs_from),
        root=options.root,
        options=dataclasses.asdict(options.model) | {"threads": options.threads},
        compile=options.compile,
        seed=options.seed,
    )
    cuda = options.model.device.startswith("cuda")
    rules = gpu_rules() if cuda else cpu_rules()
    share = _SWEEP_SHARE * (2 if options.resident else 1)
    return Request(
        subject=subject,
        kind="replicate",
        batches=options.batches,
        rules=rules.model_copy(update={"detail_s": _DETAIL_SHARE * options.budget_s}),
        sweep=Sweep() if options.full_sweep else Sweep(gain=LEAST_GAIN, most_s=share * options.budget_s),
        slo_ms=options.slo_ms,
    )


def gpu_rules() -> Rules:
    """As the protocol has them; a GPU must reach its working temperature."""
    first = WarmUpRule(least_s=2.0)
    return Rules(first_warm_up=first, warm_up=WarmUpRule(least_s=0.5, window_s=0.2, cap_s=20.0))


def cpu_rules() -> Rules:
    """Shorter windows: a sweep of six batch sizes in five processes must end within three minutes."""
    return Rules(
        first_warm_up=WarmUpRule(least_s=1.0, window_s=0.25, window_calls=10, tolerance=0.02, cap_s=3.0),
        warm_up=WarmUpRule(least_s=0.3, window_s=0.15, window_calls=3, tolerance=0.02, cap_s=1.0),
        blocks=BlockRule(most_s=0.6),
        offline_s=_OFFLINE_S / LOOKS[0],
    )


def inputs_of(locator: str, asked: str | None) -> str:
    """The suite whose samples are the inputs: as asked, else as the model's card or checkpoint says."""
    if asked is not None:
        return asked
    found = Locator.parse(locator)
    suite = _card(found.target) if found.scheme == "baseline" else _trained_on(Path(found.target))
    if not suite:
        raise UsageError(
            f"Nothing says which inputs {locator} takes; name a suite whose samples it is timed on, as in "
            "--inputs-from seg."
        )
    return suite


def estimate(options: LatencyOptions) -> tuple[float, float]:
    """Seconds that the run takes about, and at most: five processes or fewer by the budget; the budget and one more.

    That holds for calls of milliseconds. Sizes that the user spelled out are all measured, however slow.
    """
    cuda = options.model.device.startswith("cuda")
    rules = gpu_rules() if cuda else cpu_rules()
    later = len(options.batches) - 1
    warm = rules.first_warm_up.least_s + later * rules.warm_up.least_s
    # Device times and requests, each in blocks.
    each = _START_S + warm + len(options.batches) * (2 * rules.blocks.most_s + rules.offline_s)
    energy = _ENERGY_S if cuda or find_counter("cpu")[0] is not None else 0.0
    compiling = _COMPILE_S if options.compile else 0.0
    details = compiling + _START_S + rules.first_warm_up.least_s + rules.stages_s + _SERVER_S + energy
    looks, fewest = (1, 1) if options.resident else (LOOKS[0], 2)
    about = min(details + each * looks, max(options.budget_s, details + each * fewest))
    return about, max(about, options.budget_s) + each


def _card(target: str) -> str:
    file = content.folder("baselines") / target / "model.toml"
    if not file.is_file():
        return ""
    return str(tomllib.loads(file.read_text(encoding="utf-8")).get("suite", ""))


def _trained_on(file: Path) -> str:
    if not file.is_file() or file.suffix != ".safetensors":
        return _trained_in_zip(file) if file.is_file() else ""
    import json

    from safetensors import SafetensorError, safe_open

    try:
        with safe_open(file, framework="np") as opened:
            text = (opened.metadata() or {}).get("mmbench", "{}")
        return _suite_in(json.loads(text))
    except (SafetensorError, OSError, ValueError):
        return ""


def _trained_in_zip(file: Path) -> str:
    from mmbench.core.errors import LoadError
    from mmbench.models.checkpoint import read_checkpoint

    try:
        return _suite_in(read_checkpoint(file)[1])
    except LoadError:
        return ""


def _suite_in(metadata: Any) -> str:
    training = metadata.get("training") if isinstance(metadata, dict) else None
    return str(training.get("suite", "")) if isinstance(training, dict) else ""
