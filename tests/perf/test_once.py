"""What is measured once: energy, operations, the inputs, memory running out."""

from __future__ import annotations

from pathlib import Path

import pytest

from mmbench.core.errors import UsageError
from mmbench.perf.clock import VirtualClock
from mmbench.perf.energy import RaplCounter, find_counter, measure_energy
from mmbench.perf.peaks import peak_of
from mmbench.perf.plan import inputs_of
from mmbench.perf.replicate import is_out_of_memory


class Meter:
    """20 W at rest and 100 W at work, read every 10 ms of virtual time."""

    name = "meter"

    def __init__(self, clock: VirtualClock, period: float = 0.01) -> None:
        self.clock, self.period, self.work = clock, period, 0.0

    def joules(self) -> float:
        ticks = int(self.clock.time / self.period)
        return 20 * ticks * self.period + 80 * self.work


def test_energy_per_item_is_what_the_work_adds_to_idle() -> None:
    """8 items of 0.1 s at 80 W above idle: one joule each."""
    clock = VirtualClock()
    meter = Meter(clock)

    def call() -> None:
        clock.advance(0.1)
        meter.work += 0.1

    found = measure_energy(call, 8, meter, clock)
    assert found.joules == pytest.approx(1.0, rel=0.01)
    assert found.idle_watts == pytest.approx(20, rel=0.01)
    assert found.window_s >= 10


def test_a_counter_that_hardly_moves_says_nothing() -> None:
    clock = VirtualClock()
    found = measure_energy(lambda: clock.advance(0.1), 1, Meter(clock, period=30), clock)
    assert found.joules is None
    assert "fewer than 100" in found.reason


def test_rapl_is_read_across_its_overflow(tmp_path: Path) -> None:
    zone = tmp_path / "intel-rapl:0"
    zone.mkdir()
    (zone / "max_energy_range_uj").write_text("1000000\n")
    (zone / "energy_uj").write_text("900000\n")
    counter, reason = find_counter("cpu", tmp_path)
    assert isinstance(counter, RaplCounter)
    assert reason == ""
    (zone / "energy_uj").write_text("100000\n")
    assert counter.joules() == pytest.approx(0.2)
    (zone / "energy_uj").write_text("350000\n")
    assert counter.joules() == pytest.approx(0.45)


def test_no_counter_is_told(tmp_path: Path) -> None:
    counter, reason = find_counter("cpu", tmp_path)
    assert counter is None
    assert "no energy counter" in reason


def test_operations_by_hand_and_what_is_not_counted() -> None:
    """A 3x3 convolution of 4 to 8 channels on 10x10, then attention of 5 tokens of width 6: 2 per multiply-add."""
    torch = pytest.importorskip("torch")
    from mmbench.perf.flops import count, tensor_bytes

    conv = torch.nn.Conv2d(4, 8, 3, padding=1)
    x, q = torch.randn(1, 4, 10, 10), torch.randn(1, 2, 5, 6)

    def call() -> None:
        conv(x).relu()
        torch.nn.functional.scaled_dot_product_attention(q, q, q)

    flop, uncounted = count(call)
    assert flop == 2 * 8 * 4 * 9 * 100 + 2 * (2 * 2 * 5 * 5 * 6)
    assert uncounted["aten.relu"] == 1
    assert torch.backends.mha.get_fastpath_enabled()
    assert tensor_bytes({"a": [x]}, q, "text") == 4 * (400 + 60)


def test_a_device_without_a_peak_has_no_mfu() -> None:
    """A relative of a known device has figures of its own; tensor cores do half in tf32 of what they do in bf16."""
    assert peak_of("AMD EPYC", "fp32") is None
    assert peak_of("NVIDIA H200 NVL", "bf16") is None
    assert peak_of("NVIDIA H200", "bf16").flops == 989.5e12
    assert peak_of("NVIDIA H200", "int8") is None
    for name in ("NVIDIA H200", "NVIDIA H100 80GB HBM3", "NVIDIA A100-SXM4-80GB"):
        assert peak_of(name, "tf32").flops == pytest.approx(peak_of(name, "bf16").flops / 2, rel=1e-3)


def test_inputs_come_from_the_card_or_the_checkpoint_or_the_user(tmp_path: Path) -> None:
    assert inputs_of("baseline:seg/concat", None) == "seg@1[regime=X,tier=ci]"
    assert inputs_of("baseline:seg/concat", "cls-it") == "cls-it"
    from mmbench import content

    assert inputs_of(str(content.folder("baselines") / "seg/concat/weights.safetensors"), None).startswith("seg@1")
    (tmp_path / "x.safetensors").write_bytes(b"nothing")
    with pytest.raises(UsageError, match="--inputs-from"):
        inputs_of(str(tmp_path / "x.safetensors"), None)


def test_running_out_of_memory_is_seen_through_the_sentence_it_was_turned_into() -> None:
    wrapped = ValueError("forward failed")
    wrapped.__cause__ = MemoryError()
    assert is_out_of_memory(wrapped)
    assert not is_out_of_memory(ValueError("x"))


@pytest.mark.gpu
def test_a_gpu_is_timed_by_its_events() -> None:
    """Twice the cycles take twice the time, to 2 %."""
    torch = pytest.importorskip("torch")
    if not torch.cuda.is_available():
        pytest.skip("no CUDA device")
    from mmbench.perf.clock import CudaClock
    from mmbench.perf.protocol import BlockRule, block

    clock, rule = CudaClock("cuda"), BlockRule(calls=5, seconds=1)
    one, two = (min(block(lambda n=n: torch.cuda._sleep(n), clock, rule)) for n in (10**7, 2 * 10**7))
    assert two / one == pytest.approx(2, rel=0.02)
