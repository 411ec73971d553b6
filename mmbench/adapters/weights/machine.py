"""Runs the opcodes of a pickle on plain data only (the format: ``pickletools`` of the standard library).

A pickle is a program for a small stack machine that may name any Python object and call it. Here a name stays a name:
``build`` decides what a call comes to, and it knows tensors and plain containers alone. Every other object becomes an
``Inert``. There is no path from a pickle to ``import``, to ``getattr`` or to a call of what the pickle names.
"""

from __future__ import annotations

import pickletools
from collections.abc import Callable
from typing import Any, ClassVar, Protocol

from mmbench.adapters.weights.placeholder import Inert, Nested, Reference

MAX_OPCODES = 20_000_000
MAX_DEPTH = 64
MAX_WEIGHT = 1_000_000

_MARK = object()
_KEYS = (str, int, float, bool, bytes, type(None), Inert)
# Names of Python 2 for what Python 3 has under another name.
_RENAMED = {"__builtin__": "builtins", "copy_reg": "copyreg"}


class Malformed(ValueError):
    """The pickle is no valid program, or passes a limit."""


class Stream(Protocol):
    """What the opcodes are read from; reading stops right behind the end of the pickle."""

    def read(self, size: int, /) -> bytes:
        """At most ``size`` bytes."""

    def readline(self) -> bytes:
        """Up to a newline."""


class Builder(Protocol):
    """Decides what calls and persistent ids come to."""

    def call(self, origin: str, args: tuple[Any, ...]) -> Any:
        """What ``origin(*args)`` stands for: a tensor, a plain container, or an ``Inert``."""

    def persistent(self, saved: Any) -> Any:
        """What a persistent id stands for: a storage."""


def run(stream: Stream, builder: Builder) -> Any:
    """The value of one pickle; raises Malformed, and what ``pickletools`` raises on bytes that are no opcodes."""
    return _Machine(builder).run(stream)


class _Machine:
    def __init__(self, builder: Builder) -> None:
        self._builder = builder
        self._stack: list[Any] = []
        self._memo: dict[int, Any] = {}

    def run(self, stream: Stream) -> Any:
        for count, (opcode, argument, _) in enumerate(pickletools.genops(stream)):  # type: ignore[arg-type]
            name = opcode.name
            if count > MAX_OPCODES:
                raise Malformed(f"more than {MAX_OPCODES} opcodes")
            if name == "STOP":
                return self._pop()
            if name in _CONSTANTS:
                self._stack.append(argument)
            else:
                step = self._steps.get(name)
                if step is None:
                    raise Malformed(f"the opcode {name}")
                step(self, argument)
        raise Malformed("no end")

    def _pop(self) -> Any:
        value = self._stack.pop() if self._stack else _MARK
        if value is _MARK:
            raise Malformed("an opcode that takes more than there is")
        return value

    def _pop_mark(self) -> list[Any]:
        for place in range(len(self._stack) - 1, -1, -1):
            if self._stack[place] is _MARK:
                found = self._stack[place + 1 :]
                del self._stack[place:]
                return found
        raise Malformed("an opcode without its mark")

    def _top(self) -> Any:
        if not self._stack or self._stack[-1] is _MARK:
            raise Malformed("an opcode that changes what is not there")
        return self._stack[-1]

    def _tuple(self, values: list[Any]) -> None:
        made = Nested(values)
        if made.depth > MAX_DEPTH or made.weight > MAX_WEIGHT:
            raise Malformed("tuples that are nested too deeply")
        self._stack.append(made)

    def _tuple_of(self, count: int) -> None:
        self._tuple([self._pop() for _ in range(count)][::-1])

    def _put(self, place: int) -> None:
        self._memo[place] = self._top()

    def _get(self, place: int) -> None:
        if place not in self._memo:
            raise Malformed(f"the memo {place}, which was not set")
        self._stack.append(self._memo[place])

    def _extend(self, values: list[Any]) -> None:
        target = self._top()
        if isinstance(target, list):
            target.extend(values)
        elif isinstance(target, Inert):
            target.items.extend(values)
        else:
            raise Malformed(f"items for a {type(target).__name__}")

    def _set_items(self, values: list[Any]) -> None:
        target = self._top()
        if len(values) % 2:
            raise Malformed("a key without a value")
        pairs = [(key_of(key), value) for key, value in zip(values[::2], values[1::2], strict=True)]
        if isinstance(target, dict):
            target.update(pairs)
        elif isinstance(target, Inert):
            target.items.extend(pairs)
        else:
            raise Malformed(f"entries for a {type(target).__name__}")

    def _global(self, argument: str) -> None:
        module, _, name = argument.partition(" ")
        self._stack.append(Reference(f"{_RENAMED.get(module, module)}.{name}"))

    def _stack_global(self) -> None:
        name, module = self._pop(), self._pop()
        if not isinstance(name, str) or not isinstance(module, str):
            raise Malformed("a name that is no text")
        self._global(f"{module} {name}")

    def _call(self, function: Any, args: Any) -> None:
        if not isinstance(args, tuple):
            raise Malformed("a call without a tuple of arguments")
        if isinstance(function, Reference):
            self._stack.append(self._builder.call(function.origin, args))
        else:
            origin = function.origin if isinstance(function, Inert) else type(function).__name__
            self._stack.append(Inert(f"what {origin} returned", args))

    def _reduce(self) -> None:
        args, function = self._pop(), self._pop()
        self._call(function, args)

    def _new_object_ex(self) -> None:
        keywords, args, kind = self._pop(), self._pop(), self._pop()
        if not isinstance(args, tuple) or not isinstance(keywords, dict):
            raise Malformed("an object without a tuple and a dict of arguments")
        self._call(kind, Nested([*args, keywords]))

    def _old_object(self, origin: Any, args: list[Any]) -> None:
        self._stack.append(Inert(origin.origin if isinstance(origin, Reference) else "an object", tuple(args)))

    def _object(self) -> None:
        found = self._pop_mark()
        if not found:
            raise Malformed("an object without a class")
        self._old_object(found[0], found[1:])

    def _instance(self, argument: str) -> None:
        args = self._pop_mark()
        self._global(argument)
        self._old_object(self._pop(), args)

    def _build(self) -> None:
        state = self._pop()
        target = self._top()
        if isinstance(target, Inert):  # of a dict or a tensor it is attributes, which nobody reads
            target.state = state

    def _persistent(self, saved: Any) -> None:
        self._stack.append(self._builder.persistent(saved))

    _steps: ClassVar[dict[str, Callable[[_Machine, Any], Any]]] = {
        "PROTO": lambda _m, _a: None,
        "FRAME": lambda _m, _a: None,
        "MARK": lambda m, _a: m._stack.append(_MARK),
        "POP": lambda m, _a: m._stack.pop(),
        "POP_MARK": lambda m, _a: m._pop_mark(),
        "DUP": lambda m, _a: m._stack.append(m._top()),
        "NONE": lambda m, _a: m._stack.append(None),
        "NEWTRUE": lambda m, _a: m._stack.append(True),
        "NEWFALSE": lambda m, _a: m._stack.append(False),
        "EMPTY_LIST": lambda m, _a: m._stack.append([]),
        "EMPTY_DICT": lambda m, _a: m._stack.append({}),
        "EMPTY_SET": lambda m, _a: m._stack.append(Inert("builtins.set")),
        "EMPTY_TUPLE": lambda m, _a: m._tuple([]),
        "TUPLE1": lambda m, _a: m._tuple_of(1),
        "TUPLE2": lambda m, _a: m._tuple_of(2),
        "TUPLE3": lambda m, _a: m._tuple_of(3),
        "TUPLE": lambda m, _a: m._tuple(m._pop_mark()),
        "LIST": lambda m, _a: m._stack.append(m._pop_mark()),
        "FROZENSET": lambda m, _a: m._old_object(Reference("builtins.frozenset"), m._pop_mark()),
        "DICT": lambda m, _a: _dict(m, m._pop_mark()),
        "APPEND": lambda m, _a: m._extend([m._pop()]),
        "APPENDS": lambda m, _a: m._extend(m._pop_mark()),
        "ADDITEMS": lambda m, _a: m._extend(m._pop_mark()),
        "SETITEM": lambda m, _a: m._set_items([m._pop(), m._pop()][::-1]),
        "SETITEMS": lambda m, _a: m._set_items(m._pop_mark()),
        "GET": lambda m, a: m._get(a),
        "BINGET": lambda m, a: m._get(a),
        "LONG_BINGET": lambda m, a: m._get(a),
        "PUT": lambda m, a: m._put(a),
        "BINPUT": lambda m, a: m._put(a),
        "LONG_BINPUT": lambda m, a: m._put(a),
        "MEMOIZE": lambda m, _a: m._put(len(m._memo)),
        "GLOBAL": lambda m, a: m._global(a),
        "STACK_GLOBAL": lambda m, _a: m._stack_global(),
        "EXT1": lambda m, a: m._stack.append(Reference(f"copyreg.extension {a}")),
        "EXT2": lambda m, a: m._stack.append(Reference(f"copyreg.extension {a}")),
        "EXT4": lambda m, a: m._stack.append(Reference(f"copyreg.extension {a}")),
        "REDUCE": lambda m, _a: m._reduce(),
        "NEWOBJ": lambda m, _a: m._reduce(),
        "NEWOBJ_EX": lambda m, _a: m._new_object_ex(),
        "OBJ": lambda m, _a: m._object(),
        "INST": lambda m, a: m._instance(a),
        "BUILD": lambda m, _a: m._build(),
        "PERSID": lambda m, a: m._persistent(a),
        "BINPERSID": lambda m, _a: m._persistent(m._pop()),
    }


# fmt: off
_CONSTANTS = frozenset(
    (
        "INT",
        "BININT",
        "BININT1",
        "BININT2",
        "LONG",
        "LONG1",
        "LONG4",
        "STRING",
        "BINSTRING",
        "SHORT_BINSTRING",
        "BINBYTES",
        "SHORT_BINBYTES",
        "BINBYTES8",
        "BYTEARRAY8",
        "UNICODE",
        "SHORT_BINUNICODE",
        "BINUNICODE",
        "BINUNICODE8",
        "FLOAT",
        "BINFLOAT",
    )
)
# fmt: on


def key_of(key: Any) -> Any:
    """A key as it is when hashing it is one step; else a stand-in, for a key that is a tuple or an object."""
    return key if isinstance(key, _KEYS) else Inert("a key that is not text")


def _dict(machine: _Machine, values: list[Any]) -> None:
    machine._stack.append({})
    machine._set_items(values)
