"""Reads files in a process of its own, with every import, call of the system and write of it observed.

    python traced.py JSON        # {"warm": PATH, "files": {NAME: {"path": ..., "key": ...}}, "expected": PATH or null}

Prints JSON: for each name what happened (``ok``, or the sentence of a LoadError) and the events that were seen. The
observers are hooks of the interpreter itself (``sys.addaudithook`` cannot be removed again), so that nothing in a file
can hide from them.
"""

from __future__ import annotations

import encodings.cp437  # noqa: F401  the names in a zip, which zipfile imports when it meets the first
import json
import sys
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import load_file

from mmbench.adapters.fill import fill
from mmbench.adapters.weights_file import metadata_of, read_state_dict
from mmbench.core.errors import MmbenchError

# Events of the interpreter that reading weights has no business with (docs.python.org/3/library/audit_events.html).
# fmt: off
WATCHED = (
    "import", "exec", "compile", "pickle.find_class", "marshal.loads", "os.system", "os.exec", "os.posix_spawn",
    "os.spawn", "os.fork", "subprocess.Popen", "socket.", "ctypes.", "shutil.", "os.remove", "os.rename",
    "os.mkdir", "os.rmdir", "os.symlink", "os.link", "os.putenv", "code.__new__", "function.__new__",
    "object.__setattr__", "object.__delattr__", "builtins.input", "webbrowser.", "urllib.", "cpython.run_",
    "sys._getframe", "glob.", "tempfile.",
)
# fmt: on
seen: list[str] | None = None


def observe(event: str, arguments: tuple[Any, ...]) -> None:
    if seen is None:
        return
    if event == "open" and isinstance(arguments[1], str) and set(arguments[1]) & set("wax+"):
        seen.append(f"open {arguments[0]!r} {arguments[1]}")
    elif event.startswith(tuple(WATCHED)):
        seen.append(f"{event} {str(arguments[:1])[:100]}")


class Finder:
    """First in line when a module is looked for."""

    def find_spec(self, name: str, path: Any = None, target: Any = None) -> None:
        if seen is not None:
            seen.append(f"find_spec {name}")


class Filled(torch.nn.Module):
    """The module of the layouts."""

    def __init__(self) -> None:
        super().__init__()
        self.a = torch.nn.Conv2d(3, 4, 3)
        self.norm = torch.nn.BatchNorm2d(4)
        self.head = torch.nn.Conv2d(4, 2, 1)


def read(path: str, key: str | None, expected: dict[str, torch.Tensor] | None) -> str:
    try:
        metadata_of(Path(path))
        found = read_state_dict(Path(path), key)
        if expected is None:
            return "ok"
        module = Filled()
        fill(module, found, path, "Filled")
    except MmbenchError as error:
        return f"{int(error.exit_code)} {error}"
    same = all(torch.equal(v, expected[n]) for n, v in module.state_dict().items())
    return "ok" if same else "other weights"


def refused_by_torch(path: str) -> bool:
    """Whether ``torch.load(weights_only=True)`` refuses the file; a folder is none of its."""
    try:
        torch.load(path, weights_only=True)
    except Exception:  # noqa: BLE001  it refuses in many ways
        return True
    return False


def main(task: dict[str, Any]) -> dict[str, Any]:
    global seen  # noqa: PLW0603  the hook cannot be removed, only told to look away
    expected = load_file(task["expected"]) if task["expected"] else None
    for path in task["warm"]:
        read(path, None, None)
    sys.meta_path.insert(0, Finder())  # type: ignore[arg-type]
    sys.addaudithook(observe)
    found = {}
    for name, file in task["files"].items():
        seen = []
        outcome = read(file["path"], file["key"], expected)
        events, seen = seen, None
        refused = refused_by_torch(file["path"]) if task["expected"] else None
        found[name] = {"outcome": outcome, "events": events, "refused": refused}
    return found


if __name__ == "__main__":
    json.dump(main(json.loads(Path(sys.argv[1]).read_text())), sys.stdout)
