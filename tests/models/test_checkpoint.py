"""Checkpoints: what is written is read, whatever the format; what is not ours is refused in a sentence."""

from __future__ import annotations

import pickle
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest
import torch

from mmbench.core.errors import LoadError, UsageError
from mmbench.models.checkpoint import read_checkpoint, save_checkpoint, weights_digest, write_atomic

STATE = {
    "b.weight": torch.arange(6, dtype=torch.float32).reshape(2, 3),
    "a.half": torch.tensor([1.5], dtype=torch.bfloat16),
    "a.count": torch.tensor(7),
    "a.none": torch.zeros(0, 4),
}
METADATA = {"config": {"inputs": {"rgb": {"mean": [0.5]}, "depth": {"mean": [1.0]}}, "note": "Größe"}}
suffixes = pytest.mark.parametrize("suffix", [".safetensors", ".ckpt"])


@suffixes
def test_round_trip(tmp_path: Path, suffix: str) -> None:
    """Weights come back bit for bit, metadata with its order (it is the order of the modalities)."""
    path = tmp_path / f"my{suffix}"
    save_checkpoint(path, STATE, METADATA)
    state, metadata = read_checkpoint(path)
    assert metadata == METADATA
    assert list(metadata["config"]["inputs"]) == ["rgb", "depth"]
    assert state.keys() == STATE.keys()
    assert all(torch.equal(state[n], STATE[n]) and state[n].dtype == STATE[n].dtype for n in STATE)


@suffixes
def test_same_content_same_bytes(tmp_path: Path, suffix: str) -> None:
    """The bytes do not depend on the file's name or on what was there before."""
    first, second = tmp_path / f"one{suffix}", tmp_path / "folder" / f"two{suffix}"
    save_checkpoint(first, STATE, METADATA)
    save_checkpoint(second, torch.nn.Linear(2, 2), METADATA)
    save_checkpoint(second, STATE, METADATA)
    assert first.read_bytes() == second.read_bytes()
    assert [p.name for p in second.parent.iterdir()] == [second.name]


def test_plain_torch_reads_what_was_saved(tmp_path: Path) -> None:
    """``torch.load(weights_only=True)`` and ``safetensors`` alone are enough."""
    from safetensors.torch import load_file

    save_checkpoint(tmp_path / "my.pt", STATE, METADATA)
    save_checkpoint(tmp_path / "my.safetensors", STATE, METADATA)
    content = torch.load(tmp_path / "my.pt", weights_only=True)
    assert content["mmbench"] == METADATA
    assert weights_digest(content["state_dict"]) == weights_digest(load_file(tmp_path / "my.safetensors"))


def test_digest_is_of_the_weights_alone() -> None:
    """Order and memory layout do not matter; a name, a value, a dtype or a shape does."""
    digest = weights_digest(STATE)
    assert len(digest) == 32
    assert weights_digest(dict(reversed(STATE.items()))) == digest
    transposed = STATE["b.weight"].t().contiguous().t()
    assert weights_digest(STATE | {"b.weight": transposed}) == digest
    for changed in (
        STATE | {"b.weight": STATE["b.weight"].nextafter(torch.tensor(9.0))},
        STATE | {"b.weight": STATE["b.weight"].reshape(3, 2)},
        STATE | {"a.count": STATE["a.count"].int()},
        {n.replace("a.half", "a.third"): t for n, t in STATE.items()},
    ):
        assert weights_digest(changed) != digest


def _empty(path: Path) -> None:
    path.touch()


def _text(path: Path) -> None:
    path.write_text("these are not weights")


def _truncated(path: Path) -> None:
    save_checkpoint(path, STATE, METADATA)
    path.write_bytes(path.read_bytes()[:-300])


def _foreign(path: Path) -> None:
    if path.suffix == ".safetensors":
        from safetensors.torch import save_file

        save_file({"w": torch.zeros(2)}, path)
    else:
        torch.save({"w": torch.zeros(2)}, path)


def _code(path: Path) -> None:
    torch.save({"model": torch.nn.Linear(2, 2)}, path)


def _old_pickle(path: Path) -> None:
    path.write_bytes(pickle.dumps({"w": 1}))


def _zip(path: Path) -> None:
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("readme.txt", "no weights")


def _no_weights(path: Path) -> None:
    torch.save({"mmbench": {}, "state_dict": [1, 2]}, path)


def _nothing(path: Path) -> None:
    """The file is not there."""


@pytest.mark.parametrize(
    ("suffix", "write", "sentence"),
    [
        (".ckpt", _nothing, r"cannot be read: No such file or directory; check the path\.$"),
        (".ckpt", _empty, r"is empty; train or copy it again\.$"),
        (".safetensors", _empty, r"is empty; train or copy it again\.$"),
        (".ckpt", _text, r"is not a checkpoint; expected a \.safetensors file or a torch zip\.$"),
        (".safetensors", _text, r"is a broken safetensors file \(.*\); train or copy it again\.$"),
        (".ckpt", _truncated, r"is a broken torch zip \(.*\); train or copy it again\.$"),
        (".safetensors", _truncated, r"is a broken safetensors file \(.*\); train or copy it again\.$"),
        (".ckpt", _foreign, r"does not say of which model.*--arch FILE\.py:ClassName\.$"),
        (".safetensors", _foreign, r"does not say of which model.*--arch FILE\.py:ClassName\.$"),
        (".ckpt", _code, r"would have to run code, so it is not read"),
        (".ckpt", _old_pickle, r"is not a checkpoint; expected"),
        (".ckpt", _zip, r"is a broken torch zip \(.*\); train or copy it again\.$"),
        (".ckpt", _no_weights, r"has no weights under 'state_dict'"),
    ],
)
def test_what_is_no_checkpoint_is_refused(
    tmp_path: Path, suffix: str, write: Callable[[Path], None], sentence: str
) -> None:
    """One LoadError with the file's name and what to do; never a traceback of another library."""
    path = tmp_path / f"my{suffix}"
    write(path)
    with pytest.raises(LoadError, match=sentence) as caught:
        read_checkpoint(path)
    assert str(path) in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_failed_write_leaves_the_old_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Atomic: the file holds all of the new content or what it held before, and no part stays behind."""
    path = tmp_path / "my.ckpt"
    path.write_bytes(b"old")

    def full(_: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.fsync", full)
    with pytest.raises(UsageError, match=r"cannot be written: No space left on device; choose another place\.$"):
        write_atomic(path, b"new")
    assert path.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [path]
