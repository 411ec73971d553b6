"""Makes files that are made to harm, or broken: each is written by a function of its name.

Every pickle that would run something touches the file MARK, so that a test sees it; ``runs_in_python`` lists
those of which that can be shown with Python's own unpickler.
"""

from __future__ import annotations

import io
import json
import os
import pickle
import struct
import tarfile
import warnings
import zipfile
import zlib
from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch
from safetensors.torch import save

MARK = "ran"
WEIGHTS = {"w": torch.ones(2, 3), "b": torch.zeros(3)}
FILES: dict[str, Callable[[Path, Path], Path]] = {}
PICKLES: dict[str, Callable[[bytes], bytes]] = {}


def hostile(make: Callable[[Path, Path], Path]) -> Callable[[Path, Path], Path]:
    """Registers a function of an empty folder and the path of MARK that writes something there and returns its path."""
    FILES[make.__name__] = make
    return make


def program(make: Callable[[bytes], bytes]) -> Callable[[bytes], bytes]:
    """Registers a function from a shell command to a pickle; it becomes one file, the ``data.pkl`` of a zip."""
    PICKLES[make.__name__] = make
    FILES[make.__name__] = lambda folder, mark: torch_zip(folder / "my.ckpt", make(f"touch {mark}".encode()))
    return make


def torch_zip(path: Path, data: bytes, **entries: bytes) -> Path:
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("x/data.pkl", data)
        archive.writestr("x/version", b"3\n")
        for name, content in entries.items():
            archive.writestr(f"x/{name.replace('__', '/')}", content)
    return path


def text(value: bytes) -> bytes:
    return b"X" + struct.pack("<I", len(value)) + value


def short(value: bytes) -> bytes:
    return b"\x8c" + bytes([len(value)]) + value


# --- every way in which a pickle can name and call something


@program
def reduce(command: bytes) -> bytes:
    return b"\x80\x02cos\nsystem\n" + text(command) + b"\x85R."


@program
def reduce_inside_a_state_dict(command: bytes) -> bytes:
    return b"\x80\x02}(" + text(b"w") + b"cos\nsystem\n" + text(command) + b"\x85Ru."


@program
def reduce_of_eval(command: bytes) -> bytes:
    return b"\x80\x02cbuiltins\neval\n" + text(b"__import__('os').system(%r)" % command.decode()) + b"\x85R."


@program
def reduce_of_exec_by_its_old_name(command: bytes) -> bytes:
    return b"\x80\x02c__builtin__\nexec\n" + text(b"import os; os.system(%r)" % command.decode()) + b"\x85R."


@program
def stack_global(command: bytes) -> bytes:
    return b"\x80\x04" + short(b"os") + short(b"system") + b"\x93" + text(command) + b"\x85R."


@program
def dotted_name(command: bytes) -> bytes:
    name = b"__builtins__.eval"
    code = text(b"__import__('os').system(%r)" % command.decode())
    return b"\x80\x04" + short(b"collections") + short(name) + b"\x93" + code + b"\x85R."


@program
def instance(command: bytes) -> bytes:
    return b"(" + b"S" + repr(command.decode()).encode() + b"\nios\nsystem\n."


@program
def old_object(command: bytes) -> bytes:
    return b"(cos\nsystem\n" + text(command) + b"o."


@program
def new_object(command: bytes) -> bytes:
    return b"\x80\x02csubprocess\nPopen\n" + b"(" + text(b"touch") + text(command.split()[1]) + b"l\x85\x81."


@program
def new_object_with_keywords(command: bytes) -> bytes:
    arguments = b"(" + text(b"touch") + text(command.split()[1]) + b"l\x85}"
    return b"\x80\x04csubprocess\nPopen\n" + arguments + b"\x92."


@program
def build_that_sets_attributes_of_a_module(command: bytes) -> bytes:
    return (
        b"\x80\x02ccollections\nOrderedDict\n}" + text(b"__init__") + b"cos\nsystem\nsb)R" + text(command) + b"\x85R."
    )


@program
def build_with_a_setstate(command: bytes) -> bytes:
    made = b"ctypes\nSimpleNamespace\n)R}" + text(b"__setstate__") + b"cos\nsystem\nsb"
    return b"\x80\x02" + made + text(command) + b"b."


@program
def build_of_slots(command: bytes) -> bytes:
    return b"\x80\x02cos\nsystem\nN}" + text(b"x") + text(command) + b"s\x86b."


@program
def memo_hides_the_function(command: bytes) -> bytes:
    return b"\x80\x02cos\nsystem\nq\x000" + text(command) + b"\x85q\x010h\x00h\x01R."


@program
def chained_partial(command: bytes) -> bytes:
    return b"\x80\x02cfunctools\npartial\n" + b"cos\nsystem\n" + text(command) + b"\x86R)R."


@program
def getattr_of_an_import(command: bytes) -> bytes:
    module = b"cbuiltins\n__import__\n" + text(b"os") + b"\x85R"
    return b"\x80\x02cbuiltins\ngetattr\n" + module + text(b"system") + b"\x86R" + text(command) + b"\x85R."


@program
def items_of_a_foreign_dict(command: bytes) -> bytes:
    made = b"ccollections\ndefaultdict\ncos\nsystem\n\x85R"
    return b"\x80\x02coperator\nsetitem\n(csys\nmodules\n" + text(command) + made + b"tR."


@program
def appends_to_a_foreign_list(command: bytes) -> bytes:
    return b"\x80\x02cos\nsystem\n" + text(command) + b"\x85R(" + text(b"x") + b"e."


@program
def map_over_a_list(command: bytes) -> bytes:
    mapped = b"cbuiltins\nmap\n" + b"cos\nsystem\n(" + text(command) + b"l\x86R"
    return b"\x80\x02cbuiltins\nlist\n" + mapped + b"\x85R."


@program
def code_object(command: bytes) -> bytes:
    import marshal

    code = marshal.dumps(compile(f"__import__('os').system({command.decode()!r})", "x", "eval"))
    function = b"ctypes\nFunctionType\ncmarshal\nloads\nB" + struct.pack("<I", len(code)) + code + b"\x85R}\x86R"
    return b"\x80\x03" + function + b")R."


@program
def rebuild_of_a_type(command: bytes) -> bytes:
    arguments = b"(cos\nsystem\ncbuiltins\nstr\n" + text(command) + b"\x85}t"
    return b"\x80\x02ctorch._tensor\n_rebuild_from_type_v2\n" + arguments + b"R."


@program
def bytes_that_are_a_pickle(command: bytes) -> bytes:
    inner = reduce(command)
    return b"\x80\x03ctorch.storage\n_load_from_bytes\nB" + struct.pack("<I", len(inner)) + inner + b"\x85R."


@program
def pickle_in_a_pickle(command: bytes) -> bytes:
    inner = reduce(command)
    return b"\x80\x03cpickle\nloads\nB" + struct.pack("<I", len(inner)) + inner + b"\x85R."


@program
def array_of_objects(command: bytes) -> bytes:
    dtype = b"cnumpy\ndtype\n" + text(b"O8") + b"\x85R"
    array = b"cnumpy._core.multiarray\n_reconstruct\ncnumpy\nndarray\nK\x00\x85C\x01b\x87R"
    state = b"(K\x01K\x01\x85" + dtype + b"\x89](cos\nsystem\n" + text(command) + b"\x85Ret"
    return b"\x80\x03}" + text(b"w") + array + state + b"bs."


runs_in_python = (
    *("reduce", "reduce_inside_a_state_dict", "reduce_of_eval", "stack_global", "instance", "old_object"),
    *("memo_hides_the_function", "chained_partial", "getattr_of_an_import"),
    *("map_over_a_list", "code_object", "pickle_in_a_pickle", "appends_to_a_foreign_list", "array_of_objects"),
)


@program
def extension(_command: bytes) -> bytes:
    return b"\x80\x02\x82\x01)R."


@program
def extension_of_four_bytes(_command: bytes) -> bytes:
    return b"\x80\x02\x84\xff\xff\xff\x7f)R."


@program
def persistent_text(_command: bytes) -> bytes:
    return b"Pos.system\n."


@program
def persistent_id_of_no_storage(command: bytes) -> bytes:
    return b"\x80\x02cos\nsystem\n" + text(command) + b"\x86Q."


@program
def storage_of_a_foreign_type(command: bytes) -> bytes:
    return b"\x80\x02(" + text(b"storage") + b"cos\nsystem\n" + text(command) + text(b"cpu") + b"K\x01tQ."


# --- programs that are no programs, and those that only want memory or the stack


@program
def tuples_as_a_key(_command: bytes) -> bytes:
    """Crashes ``torch.load(weights_only=True)``: hashing a tuple recurses without a limit."""
    return b"\x80\x02}K\x01" + b"\x85" * 2_000_000 + b"K\x01s."


@program
def tuples_that_double(_command: bytes) -> bytes:
    return b"\x80\x02}K\x01" + b"2\x86" * 60 + b"K\x01s."


@program
def memo_that_was_not_set(_command: bytes) -> bytes:
    return b"\x80\x02h\x05."


@program
def mark_that_is_not_there(_command: bytes) -> bytes:
    return b"\x80\x02t."


@program
def empty_stack(_command: bytes) -> bytes:
    return b"\x80\x02RRR."


@program
def text_of_an_exabyte(_command: bytes) -> bytes:
    return b"\x80\x04\x8d" + struct.pack("<Q", 1 << 60) + b"x."


@program
def number_of_a_million_digits(_command: bytes) -> bytes:
    return b"L" + b"9" * 1_000_000 + b"L\n."


@program
def no_end(_command: bytes) -> bytes:
    return b"\x80\x02}"


@program
def call_that_copies_again_and_again(_command: bytes) -> bytes:
    large = text(b"x" * 1_000_000) + b"q\x000"
    return b"\x80\x02" + large + b"(" + b"c_codecs\nencode\nh\x00\x85R" * 5000 + b"l."


# --- tensors that leave their storage


def _tensor(count: int, offset: int, size: tuple[int, ...], stride: tuple[int, ...], held: int = 4) -> bytes:
    class Storage:
        def __reduce__(self) -> object:
            raise NotImplementedError

    class Pickler(pickle._Pickler):  # type: ignore[name-defined]
        def persistent_id(self, value: object) -> object:
            return ("storage", torch.FloatStorage, "0", "cpu", count) if isinstance(value, Storage) else None

    class Tensor:
        def __reduce__(self) -> object:
            return torch._utils._rebuild_tensor_v2, (Storage(), offset, size, stride, False, {})

    stream = io.BytesIO()
    Pickler(stream, 2).dump({"w": Tensor()})
    return stream.getvalue()


def _forged(name: str, *arguments: object, held: int = 4) -> None:
    def write(folder: Path, _mark: Path) -> Path:
        return torch_zip(folder / "my.ckpt", _tensor(*arguments), data__0=bytes(4 * held))  # type: ignore[arg-type]

    FILES[name] = write


_forged("tensor_behind_its_storage", 4, 3, (4,), (1,))
_forged("tensor_before_its_storage", 4, -3, (2,), (1,))
_forged("tensor_with_huge_strides", 4, 0, (2, 2), (1 << 40, 1))
_forged("tensor_that_repeats_a_number", 4, 0, (1 << 40,), (0,))
_forged("tensor_of_a_thousand_dimensions", 4, 0, (1,) * 1000, (1,) * 1000)
_forged("storage_larger_than_its_entry", 1 << 40, 0, (4,), (1,))
_forged("storage_that_is_no_number_of_floats", 4, 0, (4,), (1,), held=3)


@hostile
def storage_that_is_not_there(folder: Path, _mark: Path) -> Path:
    return torch_zip(folder / "my.ckpt", _tensor(4, 0, (4,), (1,)))


# --- archives


@hostile
def zip_bomb(folder: Path, _mark: Path) -> Path:
    path = folder / "my.ckpt"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("x/data.pkl", b"\x80\x02}.")
        archive.writestr("x/data/0", bytes(50_000_000))
    return path


@hostile
def zip_of_overlapping_entries(folder: Path, _mark: Path) -> Path:
    """Many names for one stored entry: what is read is many times the file."""
    path = torch_zip(folder / "my.ckpt", b"\x80\x02}.", data__0=bytes(1000))
    data = bytearray(path.read_bytes())
    with zipfile.ZipFile(path) as archive:
        start = archive.start_dir
    directory, end = bytes(data[start:-22]), bytearray(data[-22:])
    count, size = struct.unpack_from("<HI", end, 10)
    struct.pack_into("<HHII", end, 8, count * 50, count * 50, size * 50, start)
    path.write_bytes(bytes(data[:start]) + directory * 50 + bytes(end))
    return path


@hostile
def zip_whose_entry_claims_a_terabyte(folder: Path, _mark: Path) -> Path:
    path = torch_zip(folder / "my.ckpt", _tensor(4, 0, (4,), (1,)), data__0=bytes(16))
    data = bytearray(path.read_bytes())
    place = data.rfind(b"PK\x01\x02")
    struct.pack_into("<II", data, place + 20, 0xFFFFFFF0, 0xFFFFFFF0)
    path.write_bytes(bytes(data))
    return path


@hostile
def zip_in_a_zip(folder: Path, _mark: Path) -> Path:
    inner = torch_zip(folder / "inner.ckpt", reduce(b"true")).read_bytes()
    with zipfile.ZipFile(folder / "my.ckpt", "w") as archive:
        archive.writestr("inner.zip", inner)
    return folder / "my.ckpt"


@hostile
def zip_with_two_pickles(folder: Path, mark: Path) -> Path:
    path = torch_zip(folder / "my.ckpt", b"\x80\x02}.")
    with zipfile.ZipFile(path, "a") as archive:
        archive.writestr("y/data.pkl", reduce(f"touch {mark}".encode()))
    return path


@hostile
def zip_whose_storage_is_a_path(folder: Path, _mark: Path) -> Path:
    data = _tensor(4, 0, (4,), (1,)).replace(b"X\x01\x00\x00\x000", text(b"../../../../etc/passwd"))
    return torch_zip(folder / "my.ckpt", data)


@hostile
def zip_with_a_link(folder: Path, _mark: Path) -> Path:
    path = torch_zip(folder / "my.ckpt", b"\x80\x02}.")
    link = zipfile.ZipInfo("x/data/0")
    link.external_attr = 0o120777 << 16
    with zipfile.ZipFile(path, "a") as archive:
        archive.writestr(link, "/etc/passwd")
    return path


def _tar(path: Path, members: list[tuple[tarfile.TarInfo, bytes]]) -> Path:
    with tarfile.open(path, "w:") as tar:
        for info, data in members:
            info.size = len(data)
            tar.addfile(info, io.BytesIO(data))
    return path


@hostile
def tar_with_a_hostile_pickle(folder: Path, mark: Path) -> Path:
    nothing = pickle.dumps(0, 2)
    contents = {
        "storages": nothing + pickle.dumps([], 2),
        "tensors": nothing,
        "pickle": reduce(f"touch {mark}".encode()),
    }
    return _tar(folder / "my.ckpt", [(tarfile.TarInfo(name), data) for name, data in contents.items()])


@hostile
def tar_with_links(folder: Path, _mark: Path) -> Path:
    link = tarfile.TarInfo("storages")
    link.type, link.linkname = tarfile.SYMTYPE, "/etc/passwd"
    return _tar(folder / "my.ckpt", [(link, b"")])


@hostile
def tar_with_a_path_out_of_it(folder: Path, _mark: Path) -> Path:
    return _tar(folder / "my.ckpt", [(tarfile.TarInfo("../../out"), b"x"), (tarfile.TarInfo("/abs"), b"x")])


@hostile
def tar_of_a_billion_storages(folder: Path, _mark: Path) -> Path:
    contents = {"storages": pickle.dumps(1 << 40, 2), "tensors": b"", "pickle": b""}
    return _tar(folder / "my.ckpt", [(tarfile.TarInfo(name), data) for name, data in contents.items()])


# --- files of the time before the zip


def _legacy(path: Path) -> bytes:
    torch.save(WEIGHTS, path, _use_new_zipfile_serialization=False)
    return path.read_bytes()


@hostile
def legacy_with_a_hostile_header(folder: Path, mark: Path) -> Path:
    path = folder / "my.ckpt"
    head = pickle.dumps(0x1950A86A20F9469CFC6C, 2) + pickle.dumps(1001, 2)
    path.write_bytes(head + reduce(f"touch {mark}".encode()) * 3)
    return path


@hostile
def legacy_storage_of_an_exabyte(folder: Path, _mark: Path) -> Path:
    path = folder / "my.ckpt"
    data = _legacy(path)
    place = data.rfind(struct.pack("<q", 6))
    path.write_bytes(data[:place] + struct.pack("<q", 1 << 58) + data[place + 8 :])
    return path


@hostile
def legacy_storage_below_zero(folder: Path, _mark: Path) -> Path:
    path = folder / "my.ckpt"
    data = _legacy(path)
    place = data.rfind(struct.pack("<q", 6))
    path.write_bytes(data[:place] + struct.pack("<q", -6) + data[place + 8 :])
    return path


@hostile
def legacy_cut_off(folder: Path, _mark: Path) -> Path:
    path = folder / "my.ckpt"
    path.write_bytes(_legacy(path)[:-10])
    return path


@hostile
def plain_hostile_pickle(folder: Path, mark: Path) -> Path:
    (folder / "my.pkl").write_bytes(reduce(f"touch {mark}".encode()))
    return folder / "my.pkl"


@hostile
def compressed_pickle(folder: Path, mark: Path) -> Path:
    (folder / "my.ckpt").write_bytes(zlib.compress(reduce(f"touch {mark}".encode())))
    return folder / "my.ckpt"


@hostile
def torchscript_that_would_run(folder: Path, _mark: Path) -> Path:
    return torch_zip(folder / "my.pt", b"\x80\x02}.", **{"constants.pkl": b"\x80\x02).", "code__x.py": b"import os"})


# --- safetensors


def _safetensors(folder: Path, header: bytes, data: bytes = b"", length: int | None = None) -> Path:
    path = folder / "my.safetensors"
    path.write_bytes(struct.pack("<Q", len(header) if length is None else length) + header + data)
    return path


@hostile
def safetensors_header_of_an_exabyte(folder: Path, _mark: Path) -> Path:
    return _safetensors(folder, b"{", length=1 << 62)


@hostile
def safetensors_header_of_a_gigabyte(folder: Path, _mark: Path) -> Path:
    path = _safetensors(folder, b"{", length=1 << 30)
    with path.open("r+b") as stream:
        stream.truncate((1 << 30) + 8)  # a hole: it takes no room on the disk
    return path


@hostile
def safetensors_tensor_behind_the_file(folder: Path, _mark: Path) -> Path:
    table = {"w": {"dtype": "F32", "shape": [1 << 40], "data_offsets": [0, 1 << 42]}}
    return _safetensors(folder, json.dumps(table).encode())


@hostile
def safetensors_tensors_that_overlap(folder: Path, _mark: Path) -> Path:
    entry = {"dtype": "F32", "shape": [2], "data_offsets": [0, 8]}
    return _safetensors(folder, json.dumps({"a": entry, "b": entry}).encode(), bytes(8))


@hostile
def safetensors_header_that_is_nested(folder: Path, _mark: Path) -> Path:
    return _safetensors(folder, b'{"a":' * 50_000 + b"1" + b"}" * 50_000)


@hostile
def safetensors_metadata_that_is_code(folder: Path, mark: Path) -> Path:
    code = f"__import__('os').system('touch {mark}')"
    (folder / "my.safetensors").write_bytes(save(WEIGHTS, {"mmbench": code}))
    return folder / "my.safetensors"


# --- folders whose manifest leads out of them


def _shards(folder: Path, weight_map: object, name: str = "model.safetensors.index.json") -> Path:
    (folder / name).write_text(json.dumps({"weight_map": weight_map}))
    return folder


@hostile
def index_with_a_parent_path(folder: Path, _mark: Path) -> Path:
    inner = folder / "inner"
    inner.mkdir()
    (folder / "out.safetensors").write_bytes(save(WEIGHTS))
    return _shards(inner, {"w": "../out.safetensors"})


@hostile
def index_with_an_absolute_path(folder: Path, _mark: Path) -> Path:
    return _shards(folder, {"w": "/etc/passwd"})


@hostile
def index_with_a_link_out_of_it(folder: Path, _mark: Path) -> Path:
    inner = folder / "inner"
    inner.mkdir()
    (folder / "out.safetensors").write_bytes(save(WEIGHTS))
    (inner / "a.safetensors").symlink_to(folder / "out.safetensors")
    return _shards(inner, {"w": "a.safetensors"})


@hostile
def index_of_itself(folder: Path, _mark: Path) -> Path:
    return _shards(folder, {"w": "model.safetensors.index.json"})


@hostile
def index_with_a_nul(folder: Path, _mark: Path) -> Path:
    return _shards(folder, {"w": "a\x00.safetensors"})


@hostile
def index_that_is_no_map(folder: Path, _mark: Path) -> Path:
    return _shards(folder, {"w": 3})


@hostile
def index_that_is_nested(folder: Path, _mark: Path) -> Path:
    (folder / "model.safetensors.index.json").write_text("[" * 200_000)
    return folder


@hostile
def index_of_a_hostile_shard(folder: Path, mark: Path) -> Path:
    torch_zip(folder / "a.bin", reduce(f"touch {mark}".encode()))
    return _shards(folder, {"w": "a.bin"}, "pytorch_model.bin.index.json")


@hostile
def index_of_a_named_pipe(folder: Path, _mark: Path) -> Path:
    os.mkfifo(folder / "a.safetensors")
    return _shards(folder, {"w": "a.safetensors"})


@hostile
def distributed_metadata_that_runs(folder: Path, mark: Path) -> Path:
    (folder / ".metadata").write_bytes(reduce(f"touch {mark}".encode()))
    return folder


def _distributed(folder: Path, old: bytes, new: bytes) -> Path:
    import torch.distributed.checkpoint as dcp

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # that there is one process only
        dcp.save({"model": WEIGHTS}, checkpoint_id=folder, no_dist=True)
    data = (folder / ".metadata").read_bytes()
    if old not in data:
        raise AssertionError(f"{old!r} does not stand in the metadata")
    (folder / ".metadata").write_bytes(data.replace(old, new))
    return folder


@hostile
def distributed_piece_outside(folder: Path, _mark: Path) -> Path:
    return _distributed(folder, b"__0_0.distcp", b"../../passwd")


@hostile
def distributed_piece_of_another_size(folder: Path, _mark: Path) -> Path:
    return _distributed(folder, b"K\x02K\x03\x86", b"K\xffK\xff\x86")


# --- names that want to be obeyed by what shows them


@hostile
def names_with_terminal_codes(folder: Path, _mark: Path) -> Path:
    torch.save({"\x1b]0;owned\x07\x1b[2J": WEIGHTS, "<script>alert(1)</script>": 1}, folder / "my.ckpt")
    return folder / "my.ckpt"


@hostile
def objects_with_terminal_codes(folder: Path, _mark: Path) -> Path:
    return torch_zip(folder / "my.ckpt", b"\x80\x02}" + text(b"a") + b"c\x1b[31m\n\x1b]8;;http\x07\n)Rs.")


@hostile
def names_of_a_megabyte(folder: Path, _mark: Path) -> Path:
    torch.save({"x" * 1_000_000: np.float64(1)}, folder / "my.ckpt")
    return folder / "my.ckpt"


@hostile
def file_name_with_terminal_codes(folder: Path, _mark: Path) -> Path:
    path = folder / "\x1b[31m<b>my.ckpt"
    path.write_bytes(b"no checkpoint")
    return path
