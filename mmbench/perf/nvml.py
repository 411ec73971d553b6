"""What NVIDIA's management library says of a GPU, through ctypes: energy, power, clocks, who else uses it.

Never run by the project's own tests, which have no GPU: see docs/measuring.md.
"""

from __future__ import annotations

import ctypes
from ctypes import byref, c_uint, c_ulonglong, c_void_p, create_string_buffer
from dataclasses import dataclass
from functools import cache
from typing import Any

_LIBRARIES = ("libnvidia-ml.so.1", "nvml.dll")
_GRAPHICS, _SM, _MEMORY = 0, 1, 2
_TEMPERATURE_GPU = 0
# Reasons for which clocks are reduced (nvml.h): hardware slowdown, thermal slowdown by software and by hardware.
HARD_SLOWDOWN = 0x8 | 0x20 | 0x40
_MILLI = 1e-3


class _Processes(ctypes.Structure):
    _fields_ = (("pid", c_uint), ("used", c_ulonglong), ("gpu_instance", c_uint), ("compute_instance", c_uint))


class _Utilisation(ctypes.Structure):
    _fields_ = (("gpu", c_uint), ("memory", c_uint))


@cache
def library() -> Any:
    """The library, initialised; None where there is none."""
    for name in _LIBRARIES:
        try:
            found = ctypes.CDLL(name)
        except OSError:
            continue
        return found if found.nvmlInit_v2() == 0 else None
    return None


@dataclass(frozen=True)
class Gpu:
    """A device by its handle; every question gives None where the driver does not answer."""

    handle: c_void_p
    name: str = "NVML total energy"

    def joules(self) -> float:
        """Since the driver was loaded (Volta and later)."""
        found = self._number("nvmlDeviceGetTotalEnergyConsumption", c_ulonglong)
        if found is None:
            raise OSError("NVML stopped to answer")
        return found * _MILLI

    def has_energy(self) -> bool:
        """Whether the device counts energy."""
        return self._number("nvmlDeviceGetTotalEnergyConsumption", c_ulonglong) is not None

    def facts(self) -> dict[str, Any]:
        """Clocks in MHz, power limit in W, temperature in C, ECC, persistence, reasons of reduced clocks."""
        limit = self._number("nvmlDeviceGetEnforcedPowerLimit", c_uint)
        return {
            "sm_mhz": self._of("nvmlDeviceGetClockInfo", _SM),
            "memory_mhz": self._of("nvmlDeviceGetClockInfo", _MEMORY),
            "sm_max_mhz": self._of("nvmlDeviceGetMaxClockInfo", _SM),
            "application_mhz": self._of("nvmlDeviceGetApplicationsClock", _GRAPHICS),
            "power_limit_w": None if limit is None else limit * _MILLI,
            "temperature_c": self._of("nvmlDeviceGetTemperature", _TEMPERATURE_GPU),
            "persistence": self._number("nvmlDeviceGetPersistenceMode", c_uint),
            "slowdown": self._number("nvmlDeviceGetCurrentClocksThrottleReasons", c_ulonglong),
        }

    def utilisation(self) -> int | None:
        """Percent of the last sample period (up to a second) in which a kernel ran."""
        value = _Utilisation()
        call = getattr(library(), "nvmlDeviceGetUtilizationRates", None)
        return int(value.gpu) if call is not None and call(self.handle, byref(value)) == 0 else None

    def processes(self) -> int | None:
        """Compute processes on the device, ours included."""
        count, table = c_uint(64), (_Processes * 64)()
        call = getattr(library(), "nvmlDeviceGetComputeRunningProcesses_v3", None)
        return int(count.value) if call is not None and call(self.handle, byref(count), table) == 0 else None

    def _number(self, function: str, kind: Any) -> int | None:
        value = kind()
        call = getattr(library(), function, None)
        return int(value.value) if call is not None and call(self.handle, byref(value)) == 0 else None

    def _of(self, function: str, which: int) -> int | None:
        value = c_uint()
        call = getattr(library(), function, None)
        return int(value.value) if call is not None and call(self.handle, which, byref(value)) == 0 else None


def gpu(device: str) -> Gpu | None:
    """The device as torch numbers it, found by its UUID (CUDA_VISIBLE_DEVICES renumbers)."""
    import torch

    if library() is None or not torch.cuda.is_available():
        return None
    uuid = f"GPU-{torch.cuda.get_device_properties(device).uuid}"
    handle = c_void_p()
    code = library().nvmlDeviceGetHandleByUUID(create_string_buffer(uuid.encode()), byref(handle))
    return Gpu(handle) if code == 0 else None


def energy_counter(device: str) -> tuple[Gpu | None, str]:
    """The device as an energy counter, or None and the reason."""
    found = gpu(device)
    if found is None:
        return None, "NVML cannot be used here"
    return (found, "") if found.has_energy() else (None, "this GPU has no energy counter")
