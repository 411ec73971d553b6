"""Reading weights: every usual form, every malformed file, and nothing of the file's is ever run."""

from __future__ import annotations

import argparse
import io
import os
import pickle
import zipfile
from collections import OrderedDict
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from safetensors.torch import save_file

from mmbench.adapters.weights.inert import read_inert
from mmbench.adapters.weights.placeholder import Inert
from mmbench.adapters.weights_file import metadata_of, read_state_dict
from mmbench.core.errors import LoadError

STATE = OrderedDict(
    {
        "a.weight": torch.arange(12, dtype=torch.float32).view(3, 4),
        "a.bias": torch.tensor([1.5, -2.0], dtype=torch.float16),
        "n": torch.tensor(7),
        "empty": torch.zeros(0),
    }
)


class _Touch:
    """A pickle that creates a file when it is built."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> Any:
        return os.system, (f"touch {self.path}",)


def equal(found: dict[str, torch.Tensor], expected: dict[str, torch.Tensor]) -> bool:
    return found.keys() == expected.keys() and all(
        found[n].dtype == expected[n].dtype and torch.equal(found[n], expected[n]) for n in expected
    )


def saved(path: Path, content: Any, **options: Any) -> Path:
    torch.save(content, path, **options)
    return path


@pytest.mark.parametrize(
    "content",
    [
        STATE,
        {"state_dict": STATE, "epoch": 3, "optimizer": {"param_groups": [{"lr": 0.1}]}},
        {"model": STATE, "best": 0.5},
        {"model_state_dict": {f"module.{n}": v for n, v in STATE.items()}},
        {f"module._orig_mod.{n}": v for n, v in STATE.items()},
        {n: torch.nn.Parameter(v) if v.is_floating_point() else v for n, v in STATE.items()},
    ],
)
@pytest.mark.parametrize("legacy", [False, True])
def test_the_usual_forms_give_the_same_weights(tmp_path: Path, content: Any, legacy: bool) -> None:
    path = saved(tmp_path / "my.ckpt", content, _use_new_zipfile_serialization=not legacy)
    assert equal(read_state_dict(path), STATE)


def test_safetensors_give_the_same_weights_whatever_the_suffix(tmp_path: Path) -> None:
    for name in ("my.safetensors", "my.ckpt"):
        save_file(dict(STATE), tmp_path / name)
        assert equal(read_state_dict(tmp_path / name), STATE)


@pytest.mark.parametrize("start", [b"\x80", b"PK"])
def test_a_header_whose_length_begins_like_another_format(tmp_path: Path, start: bytes) -> None:
    """The length of a safetensors header is any number: one in 128 begins like a pickle."""
    path = tmp_path / "my.safetensors"
    sizes = range(0, 1 << 16, 8)
    wanted = next(n for n in sizes if n > 300 and n.to_bytes(8, "little").startswith(start))
    save_file(dict(STATE), path, {"mmbench": "{}"})
    room = wanted - int.from_bytes(path.read_bytes()[:8], "little")
    save_file(dict(STATE), path, {"mmbench": "{" + " " * room + "}"})
    assert path.read_bytes().startswith(start)
    assert read_state_dict(path, None).keys() == STATE.keys()
    assert metadata_of(path) == {}


def test_compiled_submodules_lose_their_mark(tmp_path: Path) -> None:
    path = saved(tmp_path / "my.ckpt", {"enc._orig_mod.w": torch.ones(1), "head.w": torch.ones(2)})
    assert set(read_state_dict(path)) == {"enc.w", "head.w"}


def test_key_chooses_also_nested_and_dotted_names(tmp_path: Path) -> None:
    content = {"ema": {"weights": {"w": torch.ones(1)}}, "a.b": {"w": torch.zeros(1)}, "model": STATE}
    path = saved(tmp_path / "my.ckpt", content)
    assert read_state_dict(path, "ema.weights")["w"] == 1
    assert read_state_dict(path, "a.b")["w"] == 0


@pytest.mark.parametrize(
    ("content", "key", "sentence"),
    [
        (
            {"model": STATE, "state_dict": STATE},
            None,
            r"several state dicts \(state_dict, model\); choose one with --key",
        ),
        ({"ema": STATE, "step": 3}, None, r"it holds ema \(dict of 4\), step \(int\); name it with --key"),
        ({}, None, "it holds an empty dict"),
        ([1, 2], None, "it holds a list"),
        (torch.ones(2), None, "it holds a Tensor"),
        ({"model": STATE}, "ema", r"no state dict under --key ema; it holds model \(dict of 4\)"),
        ({"model": STATE}, "model.n", "no state dict under --key model.n"),
        ({f"k{i}": i for i in range(20)}, None, "and 12 more"),
    ],
)
def test_content_without_one_state_dict_is_described(tmp_path: Path, content: Any, key: str, sentence: str) -> None:
    with pytest.raises(LoadError, match=sentence):
        read_state_dict(saved(tmp_path / "my.ckpt", content), key)


def _half_a_zip() -> bytes:
    stream = io.BytesIO()
    torch.save(STATE, stream)
    return stream.getvalue()[: stream.tell() // 2]


@pytest.mark.parametrize(
    ("data", "sentence"),
    [
        (b"", r"is empty \(0 bytes\)"),
        (b"\x00\x01garbage of any kind", "not a format that is known"),
        (b"\n<!DOCTYPE html><html>404</html>", "a web page, not weights"),
        (b"<html>", "a web page"),
        (b"version https://git-lfs.github.com/spec/v1\noid", "Git LFS pointer"),
        (b"PK\x03\x04 but no zip", "looks like a torch checkpoint but is damaged"),
        (b"\x80\x02 but no pickle", "could run code|damaged"),
        (b"\x08\0\0\0\0\0\0\0{not json", "looks like a safetensors checkpoint but is damaged"),
        (b"\xff\xff\xff\xff\xff\xff\xff\x7f{", "looks like a safetensors checkpoint but is damaged"),
        (_half_a_zip(), "looks like a torch checkpoint but is damaged"),
    ],
)
def test_a_file_that_is_no_checkpoint_is_named_for_what_it_is(tmp_path: Path, data: bytes, sentence: str) -> None:
    path = tmp_path / "my.ckpt"
    path.write_bytes(data)
    with pytest.raises(LoadError, match=sentence) as caught:
        read_state_dict(path)
    assert str(path) in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_missing_file_and_a_folder(tmp_path: Path) -> None:
    with pytest.raises(LoadError, match="cannot be read: No such file or directory"):
        read_state_dict(tmp_path / "gone.ckpt")
    with pytest.raises(LoadError, match="is a folder"):
        read_state_dict(tmp_path)


@pytest.mark.filterwarnings("ignore::DeprecationWarning")  # torch.jit
def test_torchscript_is_refused(tmp_path: Path) -> None:
    torch.jit.script(torch.nn.Linear(1, 1)).save(tmp_path / "my.pt")
    with pytest.raises(
        LoadError, match=r"TorchScript archive, which holds code; if you trust it, run it as torchscript:.*re-save"
    ):
        read_state_dict(tmp_path / "my.pt")


class Whole(torch.nn.Linear):
    pass


@pytest.mark.parametrize("legacy", [False, True])
@pytest.mark.filterwarnings("ignore::UserWarning")  # torch: could not retrieve source code
def test_a_whole_pickled_module_says_how_to_save_again(tmp_path: Path, legacy: bool) -> None:
    path = tmp_path / "my.ckpt"
    Whole.__module__, module = "__main__", Whole(1, 1)
    import __main__

    __main__.Whole = Whole  # type: ignore[attr-defined]  # a script's own class, as torch.save pickles it
    saved(path, module, _use_new_zipfile_serialization=not legacy)
    with pytest.raises(LoadError, match=r"__main__\.Whole.*torch\.save\(model\.state_dict\(\), 'my\.ckpt'\)"):
        read_state_dict(path)


@pytest.mark.parametrize("where", ["beside", "instead", "inside"])
@pytest.mark.parametrize("form", ["zip", "legacy", "plain"])
def test_a_hostile_pickle_never_runs(tmp_path: Path, where: str, form: str) -> None:
    """Law: no file makes us call what it names."""
    mark, path = tmp_path / "ran", tmp_path / "my.ckpt"
    touch = _Touch(mark)
    content = {
        "beside": {"state_dict": STATE, "x": touch},
        "instead": touch,
        "inside": {"w": torch.ones(1), "x": touch},
    }
    if form == "plain":
        path.write_bytes(pickle.dumps(content[where]))
    else:
        saved(path, content[where], _use_new_zipfile_serialization=form == "zip")
    if where == "beside":  # the weights are read, and the rest is only named
        assert equal(read_state_dict(path), STATE)
    else:
        with pytest.raises(LoadError):
            read_state_dict(path)
    assert not mark.exists()
    if form == "plain":  # the file is hostile indeed
        pickle.loads(path.read_bytes())  # noqa: S301  written above
        assert mark.exists()


def test_weights_beside_a_namespace_and_numpy_numbers_are_read(tmp_path: Path) -> None:
    args = argparse.Namespace(lr=0.1, path=Path("x"))
    content = {"args": args, "best": np.float64(0.5), "history": np.ones(3), "model": STATE, "when": {1, 2}}
    assert equal(read_state_dict(saved(tmp_path / "my.ckpt", content)), STATE)


def test_the_inert_reader_equals_torch_on_plain_content(tmp_path: Path) -> None:
    """Law: on what weights_only reads, the inert reader gives the same, views and shared storages included."""
    base = torch.arange(24.0).view(4, 6)
    content = {"t": base.t()[1:3], "same": base, "bf": base.bfloat16(), "b": base > 3, "list": [1, (2.5, "x", None)]}
    path = saved(tmp_path / "my.ckpt", content)
    expected, found = torch.load(path, weights_only=True), read_inert(path)
    assert found["list"] == expected["list"]
    for name in ("t", "same", "bf", "b"):
        assert torch.equal(found[name], expected[name])
        assert found[name].dtype == expected[name].dtype
    found["same"][1, 1] = -1
    assert (found["t"] == -1).any()


def test_the_inert_reader_builds_only_placeholders(tmp_path: Path) -> None:
    found = read_inert(saved(tmp_path / "x", {"n": argparse.Namespace(a=1), "d": np.dtype("f4")}))
    assert isinstance(found["n"], Inert)
    assert found["n"].origin == "argparse.Namespace"
    assert isinstance(found["d"], Inert)


def test_a_tensor_outside_its_storage_is_damage(tmp_path: Path) -> None:
    """A forged offset must not read foreign memory."""
    path, forged = tmp_path / "my.ckpt", tmp_path / "forged.ckpt"
    saved(path, {"x": argparse.Namespace(), "state_dict": {"w": torch.ones(5)}})
    with zipfile.ZipFile(path) as source, zipfile.ZipFile(forged, "w") as target:
        for info in source.infolist():
            data = source.read(info)
            # The shape (5,) in the pickle: BININT1 5, TUPLE1.
            target.writestr(
                info.filename, data.replace(b"K\x05\x85", b"K\x7f\x85") if "data.pkl" in info.filename else data
            )
    with pytest.raises(LoadError, match="damaged"):
        read_state_dict(forged)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
@pytest.mark.parametrize("form", ["zip", "legacy", "safetensors", "refused"])
def test_any_damage_is_a_sentence_or_weights(tmp_path: Path, form: str, data: st.DataObject) -> None:
    """Law: a file with changed or missing bytes gives weights or a LoadError, never another exception."""
    path = tmp_path / "fuzz.ckpt"
    write: dict[str, Callable[[], Any]] = {
        "zip": lambda: torch.save(STATE, path),
        "legacy": lambda: torch.save(STATE, path, _use_new_zipfile_serialization=False),
        "safetensors": lambda: save_file(dict(STATE), path),
        "refused": lambda: torch.save({"state_dict": STATE, "x": argparse.Namespace(a=1)}, path),
    }
    write[form]()
    content = bytearray(path.read_bytes())
    for _ in range(data.draw(st.integers(1, 4))):
        content[data.draw(st.integers(0, len(content) - 1))] = data.draw(st.integers(0, 255))
    path.write_bytes(content[: data.draw(st.integers(0, len(content)))] if data.draw(st.booleans()) else content)
    try:
        read_state_dict(path)
    except LoadError:
        return
