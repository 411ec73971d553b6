"""Importing and calling what the user named."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from mmbench.adapters.user_code import load_user_code, parse_arch_kwargs, user_code
from mmbench.core.errors import LoadError, SampleError, UsageError


@pytest.mark.parametrize(
    ("text", "kwargs"),
    [
        ("width=32", {"width": 32}),
        ("width=32,norm=batch", {"width": 32, "norm": "batch"}),
        ("a=1.5, b=true, c=False, d=None, e=null", {"a": 1.5, "b": True, "c": False, "d": None, "e": None}),
        ("sizes=[8,16],last=x,y", {"sizes": [8, 16], "last": "x,y"}),
        ('text="32"', {"text": "32"}),
        ("empty=", {"empty": ""}),
        ("x=NaN", {"x": "NaN"}),
    ],
)
def test_arch_kwargs_are_json_or_text(text: str, kwargs: dict[str, object]) -> None:
    assert parse_arch_kwargs(text) == kwargs


@pytest.mark.parametrize("text", ["", "width", "=3", "2x=3", "a=1,a=2", "a b=1", ",a=1"])
def test_bad_arch_kwargs_are_usage_errors(text: str) -> None:
    with pytest.raises(UsageError, match="expected name=value"):
        parse_arch_kwargs(text)


def test_a_file_sees_its_neighbours_and_sys_path_stays_clean(write_module: Callable[..., Path]) -> None:
    write_module("VALUE = 7\n", "my_neighbour_5.py")
    path = write_module("from my_neighbour_5 import VALUE\ndef make():\n    return VALUE\n")
    before = list(sys.path)
    code = load_user_code(f"{path}:make", "--arch")
    assert code.build({}) == 7
    assert sys.path == before
    assert code.name == "make"
    assert code.consent == f"ran {path}:make (source {code.digest})"
    assert not (path.parent / "__pycache__" / f"my_model.{sys.implementation.cache_tag}.pyc").exists()


def test_a_rewritten_file_is_read_again(write_module: Callable[..., Path]) -> None:
    """Law: edited code never gives old answers, and has another digest."""
    codes = []
    for value in (1, 2):
        path = write_module(f"def make():\n    return {value}\n")
        codes.append(load_user_code(f"{path}:make", "--arch"))
    assert [code.build({}) for code in codes] == [1, 2]
    assert codes[0].digest != codes[1].digest


def test_a_dotted_module_is_found_beside_the_working_directory(
    write_module: Callable[..., Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    path = write_module("def make(n):\n    return n\n", "my_dotted_5.py")
    monkeypatch.chdir(path.parent)
    assert load_user_code("my_dotted_5:make", "--arch").build({"n": 3}) == 3


@pytest.mark.parametrize(
    ("reference", "sentence"),
    [
        ("my_model.py", "is not code; expected FILE.py:Name or package.module:Name"),
        (":Name", "is not code"),
        ("my_model.py:", "is not code"),
        ("my_model.py:a b", "is not code"),
        ("gone.py:Name", "there is no file gone.py"),
        ("no_such_module_5:Name", "ModuleNotFoundError: No module named 'no_such_module_5'"),
        ("my_model.py:MyFusoin", "has no class or function 'MyFusoin'; did you mean 'MyFusion'?"),
        ("my_model.py:zzz", "has no class or function 'zzz'."),
    ],
)
def test_a_wrong_reference_is_one_sentence(
    write_module: Callable[..., Path], monkeypatch: pytest.MonkeyPatch, reference: str, sentence: str
) -> None:
    monkeypatch.chdir(write_module().parent)
    with pytest.raises(UsageError if "is not code" in sentence else LoadError) as caught:
        load_user_code(reference, "--arch")
    assert sentence in str(caught.value)
    assert "--arch" in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("import torch\nimport no_such_5\n", "ModuleNotFoundError: No module named 'no_such_5' (my_model.py, line 2)"),
        ("x = 1\ny = (\n", "SyntaxError: '(' was never closed (my_model.py, line 2)"),
        ("x = 1 / 0\n", "ZeroDivisionError: division by zero (my_model.py, line 1)"),
        ("import sys\nsys.exit(0)\n", "SystemExit: 0 (my_model.py, line 2)"),
        ("raise ValueError('two\\n\\n  lines')\n", "ValueError: two lines (my_model.py, line 1)"),
        ("assert False\n", "AssertionError (my_model.py, line 1)"),
        ("raise ValueError('x' * 5000)\n", "xxx... (my_model.py, line 1)"),
    ],
)
def test_an_error_while_importing_gives_type_message_and_line(
    write_module: Callable[..., Path], text: str, sentence: str
) -> None:
    path = write_module(text)
    with pytest.raises(LoadError) as caught:
        load_user_code(f"{path}:Name", "--arch")
    assert str(caught.value).startswith(f"Importing {path} failed: ")
    assert sentence in str(caught.value)
    assert len(str(caught.value)) < 1000


def test_wrong_keyword_arguments_say_the_call(write_module: Callable[..., Path]) -> None:
    code = load_user_code(f"{write_module()}:MyFusion", "--arch")
    with pytest.raises(
        LoadError, match=r"MyFusion\(widht=32\) failed: TypeError: .*unexpected keyword argument 'widht'"
    ):
        code.build({"widht": 32})


def test_a_built_module_does_not_depend_on_the_global_random_state(write_module: Callable[..., Path]) -> None:
    """Law: untrained weights are the same in every process, and the caller's random state is left alone."""
    import torch

    code = load_user_code(f"{write_module()}:MyFusion", "--arch")
    torch.manual_seed(5)
    before = torch.get_rng_state()
    first = code.build({}).head.weight
    assert torch.equal(torch.get_rng_state(), before)
    torch.manual_seed(6)
    assert torch.equal(code.build({}).head.weight, first)


def test_our_own_errors_pass_through() -> None:
    with pytest.raises(SampleError, match="as it is"), user_code("x"):
        raise SampleError("as it is")


def test_an_interrupt_passes_through() -> None:
    with pytest.raises(KeyboardInterrupt), user_code("x"):
        raise KeyboardInterrupt
