"""Writes checkpoints as training code of the field writes them; run in a process that the reader does not share.

    python layouts.py FOLDER

Real libraries where they are installed (PyTorch Lightning, OmegaConf, addict, easydict, yacs, transformers,
torch.distributed.checkpoint, pandas, scikit-learn); of those that are too heavy the objects are made of classes with
the same module path. All hold the same weights. ``layouts.json`` says of each file which ``--key`` it needs.
"""

from __future__ import annotations

import argparse
import collections
import dataclasses
import datetime
import enum
import functools
import io
import json
import pickle
import random
import struct
import sys
import tarfile
import types
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import torch
from safetensors.torch import save_file

warnings.simplefilter("ignore")
LAYOUTS: dict[str, tuple[str | None, Callable[[Path], None]]] = {}


class Net(torch.nn.Module):
    """Convolution, normalisation, convolution, and a half-precision bias."""

    def __init__(self) -> None:
        super().__init__()
        self.a = torch.nn.Conv2d(3, 4, 3)
        self.norm = torch.nn.BatchNorm2d(4)
        self.head = torch.nn.Conv2d(4, 2, 1)


def net() -> Net:
    torch.manual_seed(7)
    made = Net()
    made.norm.running_mean += 0.25
    return made


def state(prefix: str = "") -> dict[str, torch.Tensor]:
    return collections.OrderedDict((prefix + n, v.clone()) for n, v in net().state_dict().items())


def layout(key: str | None = None, name: str = "my.ckpt") -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Registers a function that returns the content, or that writes the file itself when it takes a path."""

    def register(make: Callable[..., Any]) -> Callable[..., Any]:
        def write(folder: Path) -> None:
            if make.__code__.co_argcount:
                make(folder / name)
            else:
                torch.save(make(), folder / name)

        LAYOUTS[make.__name__] = (key, write)
        return make

    return register


def foreign(path: str, bases: tuple[type, ...] = (object,), **attributes: Any) -> type:
    """A class that stands in the module of another library."""
    module, _, name = path.rpartition(".")
    parts = module.split(".")
    for i in range(1, len(parts) + 1):
        sys.modules.setdefault(".".join(parts[:i]), types.ModuleType(".".join(parts[:i])))
    made = type(name, bases, {"__module__": module, "__qualname__": name, **attributes})
    setattr(sys.modules[module], name, made)
    return made


def thing(path: str, **fields: Any) -> Any:
    made = foreign(path)()
    made.__dict__.update(fields)
    return made


def optimizer_state() -> dict[str, Any]:
    module = net()
    optimizer = torch.optim.AdamW(module.parameters(), lr=1e-3)
    sum(p.sum() for p in module.parameters()).backward()
    optimizer.step()
    return optimizer.state_dict()


def args(**more: Any) -> argparse.Namespace:
    return argparse.Namespace(lr=1e-3, model="net", output=Path("out"), device=torch.device("cpu"), **more)


def _lightning(path: Path, hparams: Any, prefix: str = "model") -> None:
    import pytorch_lightning as pl

    class Task(pl.LightningModule):
        def __init__(self, config: Any = None) -> None:
            super().__init__()
            self.save_hyperparameters(config)
            setattr(self, prefix, net())

        def configure_optimizers(self) -> Any:
            return torch.optim.SGD(self.parameters(), lr=0.1)

    saver = pl.callbacks.ModelCheckpoint(dirpath=path.parent, monitor="miou")
    saver.best_model_score = torch.tensor(0.5)
    trainer = pl.Trainer(accelerator="cpu", logger=False, callbacks=[saver], enable_progress_bar=False)
    task = Task(hparams)
    task.trainer = trainer
    trainer.strategy.connect(task)
    trainer.strategy.setup_optimizers(trainer)
    trainer.save_checkpoint(path)


@layout()
def lightning_dict(path: Path) -> None:
    _lightning(path, {"lr": 0.1})


@layout()
def lightning_namespace(path: Path) -> None:
    _lightning(path, args())


@layout()
def lightning_omegaconf(path: Path) -> None:
    from omegaconf import OmegaConf

    _lightning(path, OmegaConf.create({"model": {"width": 4, "paths": ["a", "b"], "root": "${model.width}"}}))


@layout()
def lightning_numpy_and_enum(path: Path) -> None:
    _lightning(path, {"best": np.float64(0.5), "kind": Kind.LATE})


@layout()
def lightning_compiled() -> Any:
    return {
        "epoch": 3,
        "pytorch-lightning_version": "2.1.0",
        "state_dict": {f"net._orig_mod.{n}": v for n, v in state().items()},
        "hyper_parameters": args(),
        "callbacks": {"ModelCheckpoint{'monitor': 'x'}": {"best_model_score": np.float32(3)}},
        "optimizer_states": [optimizer_state()],
    }


@layout()
def omegaconf_beside() -> Any:
    from omegaconf import OmegaConf

    return {"cfg": OmegaConf.create({"a": [1, {"b": None}]}), "model": state(), "step": 4}


@layout()
def fairseq() -> Any:
    from omegaconf import OmegaConf

    return {
        "args": None,
        "cfg": OmegaConf.create({"task": {"_name": "audio"}}),
        "model": state(),
        "criterion": {},
        "optimizer_history": [{"criterion_name": "C", "lr_scheduler_state": {"best": np.float64(1.0)}}],
        "task_state": {},
        "extra_state": {"metrics": [("default", [])], "previous_training_time": 1.5},
    }


@layout()
def timm() -> Any:
    return {
        "epoch": 9,
        "arch": "net",
        "state_dict": state(),
        "optimizer": optimizer_state(),
        "version": 2,
        "args": args(),
        "metric": np.float64(81.2),
    }


@layout("state_dict_ema")
def timm_with_average() -> Any:
    return timm() | {"state_dict_ema": state()}


@layout()
def average_alone() -> Any:
    return {"state_dict_ema": state(), "epoch": np.int64(3)}


@layout()
def swa_average() -> Any:
    return {"model_ema": torch.optim.swa_utils.AveragedModel(net()).state_dict(), "args": args()}


@layout()
def deit() -> Any:
    return {"model": state(), "optimizer": optimizer_state(), "epoch": 2, "scaler": {"scale": 1.0}, "args": args()}


@layout("teacher")
def dino_teacher() -> Any:
    return {"student": state("module."), "teacher": state("module."), "args": args(), "dino_loss": {"c": torch.ones(2)}}


@layout()
def torchvision_references() -> Any:
    return {"model": state(), "lr_scheduler": {"last_epoch": 3}, "args": args(weights=None, func=np.mean)}


@layout()
def mmengine() -> Any:
    buffer = functools.partial(thing, "mmengine.logging.history_buffer.HistoryBuffer")
    history = buffer(_log_history=np.ones(3), _count_history=np.ones(3), _max_length=10)
    config = foreign("mmengine.config.config.ConfigDict", (dict,))
    return {
        "meta": {
            "epoch": 1,
            "cfg": "model = dict()",
            "time": datetime.datetime(2024, 1, 1),
            "dataset_meta": config(a=1),
        },
        "state_dict": state(),
        "message_hub": {"log_scalars": collections.OrderedDict(loss=history), "resumed_keys": {}},
        "optimizer": optimizer_state(),
        "param_schedulers": [{"last_step": 1}],
    }


@layout("ema_state_dict")
def mmengine_average() -> Any:
    return mmengine() | {"ema_state_dict": state("module.")}


@layout()
def mmcv() -> Any:
    meta = {"CLASSES": ("a", "b"), "PALETTE": np.zeros((2, 3), np.uint8), "config": "x", "hook_msgs": {}}
    return {"meta": meta, "state_dict": state("module."), "optimizer": optimizer_state()}


@layout(name="model.pkl")
def detectron2_pickle(path: Path) -> None:
    content = {"model": {n: v.numpy() for n, v in state().items()}, "__author__": "x", "matching_heuristics": True}
    path.write_bytes(pickle.dumps(content, protocol=2))


@layout()
def detectron2_config() -> Any:
    from yacs.config import CfgNode

    return {"model": state(), "iteration": 7, "cfg": CfgNode({"A": {"B": [1, 2]}}), "optimizer": optimizer_state()}


@layout()
def easydict_config() -> Any:
    from easydict import EasyDict

    return {"config": EasyDict({"a": {"b": 1}}), "model": state()}


@layout()
def addict_config() -> Any:
    from addict import Dict

    return {"cfg": Dict({"a": {"b": 1}}), "state_dict": state()}


@layout()
def config_dict() -> Any:
    config = thing("ml_collections.config_dict.config_dict.ConfigDict", _fields={"lr": 1}, _locked=True)
    return {"config": config, "model": state()}


@layout()
def deepspeed() -> Any:
    return {
        "module": state(),
        "buffer_names": ["norm.running_mean"],
        "param_shapes": [collections.OrderedDict((n, v.shape) for n, v in state().items())],
        "ds_config": {"zero": thing("deepspeed.runtime.zero.config.DeepSpeedZeroConfig", stage=2)},
        "args": args(),
        "optimizer": None,
        "ds_version": "0.14",
    }


@layout()
def ignite() -> Any:
    state_ = thing("ignite.engine.events.State", epoch=3, metrics={"miou": np.float32(0.5)})
    return {"model": state(), "trainer": state_, "optimizer": optimizer_state()}


@layout()
def nnunet() -> Any:
    return {
        "network_weights": state(),
        "init_args": {"plans": {"spacing": np.ones(3)}, "device": torch.device("cuda")},
        "logging": {"mean_fg_dice": [np.float64(0.1)]},
        "trainer_name": "T",
    }


@layout("params_ema")
def basicsr() -> Any:
    return {"params": state(), "params_ema": state(), "log": np.float64(1)}


@layout()
def open_clip() -> Any:
    return {"epoch": 3, "name": "run", "state_dict": state("module."), "optimizer": optimizer_state(), "args": args()}


@layout()
def hydra_paths() -> Any:
    return {"model": state(), "run": {"dir": Path("a") / "b", "at": datetime.timedelta(seconds=3)}}


class Kind(enum.Enum):
    LATE = "late"


@dataclasses.dataclass
class Config:
    width: int = 4
    kind: Kind = Kind.LATE


@layout()
def script_classes() -> Any:
    return {"model": state(), "config": Config(), "when": datetime.date(2024, 5, 6)}


@layout()
def containers() -> Any:
    return {
        "weights": state(),
        "sets": [{1, 2}, frozenset("ab")],
        "log": collections.defaultdict(list, loss=[1.0]),
        "last": collections.deque([1, 2], maxlen=3),
        "counts": collections.Counter("aab"),
        "f": functools.partial(int, "3"),
        "slice": slice(1, 2),
        "complex": 1 + 2j,
        "bytes": b"\x00\xff",
        "range": range(3),
        ("tuple", 1): "key",
    }


@layout()
def random_states() -> Any:
    rng = {"numpy": np.random.RandomState(0).get_state(), "python": random.getstate(), "torch": torch.get_rng_state()}
    return {"net": state(), "rng": rng, "generator": np.random.default_rng(0)}


@layout()
def numpy_numbers() -> Any:
    numbers = [np.float64(1), np.int32(2), np.bool_(True), np.str_("x"), np.datetime64("2024-01-01"), np.dtype("f4")]
    return {"state_dict": state(), "numbers": numbers, "array": np.arange(6).reshape(2, 3), "names": np.array(["a"])}


@layout()
def data_frame() -> Any:
    import pandas as pd

    return {"model": state(), "history": pd.DataFrame({"loss": [1.0, 0.5], "name": ["a", "b"]})}


@layout()
def estimator() -> Any:
    from sklearn.linear_model import LogisticRegression

    probe = LogisticRegression().fit(np.eye(4), [0, 1, 0, 1])
    return {"model": state(), "probe": probe}


@layout()
def optimizer_object() -> Any:
    module = net()
    optimizer = torch.optim.SGD(module.parameters(), lr=0.1, momentum=0.9)
    return {"model": state(), "optimizer": optimizer, "scheduler": torch.optim.lr_scheduler.StepLR(optimizer, 3)}


@layout()
def loss_module() -> Any:
    return {"model_state_dict": state(), "criterion": torch.nn.CrossEntropyLoss(weight=torch.ones(2)), "args": args()}


@layout()
def parameters_with_attributes() -> Any:
    made = {n: torch.nn.Parameter(v, requires_grad=False) for n, v in state().items()}
    made["a.weight"].tensor_model_parallel = True
    return {"model": made, "args": args()}


@layout()
def shared_and_strided() -> Any:
    found = state()
    flat = torch.cat([v.flatten().double() for v in found.values() if v.is_floating_point()])
    place = 0
    for name, value in found.items():
        if value.is_floating_point():
            found[name] = flat[place : place + value.numel()].view(value.shape).float()
            place += value.numel()
    weight = found["head.weight"]
    found["head.weight"] = weight.permute(1, 0, 2, 3).contiguous().permute(1, 0, 2, 3)
    return {"model": found, "flat": flat, "args": args()}


@layout()
def data_parallel() -> Any:
    return {"state_dict": torch.nn.DataParallel(net()).state_dict(), "args": args()}


@layout()
def compiled() -> Any:
    return {"model": torch.compile(net()).state_dict(), "args": args()}


@layout()
def fully_sharded_marks() -> Any:
    marks = {f"_fsdp_wrapped_module.{n.replace('.', '._checkpoint_wrapped_module.', 1)}": v for n, v in state().items()}
    return {"model": marks, "args": args()}


@layout()
def protocol_four(path: Path) -> None:
    torch.save({"model": state(), "args": args(), "bytes": b"x" * 300}, path, pickle_protocol=4)


@layout()
def protocol_five(path: Path) -> None:
    torch.save({"model": state(), "array": np.arange(3), "buffer": bytearray(b"ab")}, path, pickle_protocol=5)


@layout()
def legacy(path: Path) -> None:
    torch.save({"model": state(), "args": args()}, path, _use_new_zipfile_serialization=False)


@layout()
def legacy_views(path: Path) -> None:
    torch.save(shared_and_strided(), path, _use_new_zipfile_serialization=False)


@layout()
def plain_pickle(path: Path) -> None:
    path.write_bytes(pickle.dumps({"model": dict(state()), "args": args()}))


@layout()
def tar_of_2016(path: Path) -> None:
    """The format of torch 0.1: no library writes it any more."""
    found = state()
    storages, tensors = io.BytesIO(), io.BytesIO()
    pickle.dump(len(found), storages, protocol=2)
    pickle.dump(len(found), tensors, protocol=2)
    for i, value in enumerate(found.values()):
        kind = torch.FloatStorage if value.is_floating_point() else torch.LongStorage
        pickle.dump((i, "cpu", kind), storages, protocol=2)
        storages.write(struct.pack("<q", value.numel()) + value.contiguous().numpy().tobytes())
        pickle.dump((100 + i, i, torch.FloatTensor), tensors, protocol=2)
        tensors.write(struct.pack("<i", value.ndim) + bytes(4))
        tensors.write(struct.pack(f"<{2 * value.ndim + 1}q", *value.shape, *value.stride(), 0))
    pickle.dump([], storages, protocol=2)
    keys = {id(value): str(100 + i) for i, value in enumerate(found.values())}

    class Pickler(pickle.Pickler):
        def persistent_id(self, value: Any) -> str | None:
            return keys.get(id(value)) if isinstance(value, torch.Tensor) else None

    content = io.BytesIO()
    Pickler(content, protocol=2).dump({"state_dict": found, "args": args()})
    with tarfile.open(path, "w:") as tar:
        for name, data in (("storages", storages), ("tensors", tensors), ("pickle", content)):
            info = tarfile.TarInfo(name)
            info.size = len(data.getvalue())
            tar.addfile(info, io.BytesIO(data.getvalue()))


@layout(name="")
def hugging_face_shards(path: Path) -> None:
    _hugging_face(path, safe=True)


@layout(name="")
def hugging_face_bin_shards(path: Path) -> None:
    """As transformers wrote before safetensors, one shard with what ``weights_only`` refuses."""
    names = list(state())
    shards = {"pytorch_model-00001-of-00002.bin": names[:3], "pytorch_model-00002-of-00002.bin": names[3:]}
    for file, held in shards.items():
        torch.save({n: state()[n] for n in held} | {"extra_state": np.float64(1)}, path / file)
    table = {"metadata": {"total_size": 1}, "weight_map": {n: file for file, held in shards.items() for n in held}}
    (path / "pytorch_model.bin.index.json").write_text(json.dumps(table))


def _hugging_face(path: Path, safe: bool) -> None:
    from huggingface_hub import save_torch_state_dict

    save_torch_state_dict(dict(state()), path, max_shard_size=300, safe_serialization=safe)


@layout(name="")
def distributed(path: Path) -> None:
    import torch.distributed.checkpoint as dcp

    dcp.save({"model": dict(state()), "optimizer": optimizer_state(), "epoch": 3}, checkpoint_id=path, no_dist=True)


@layout("app.model", name="")
def distributed_nested(path: Path) -> None:
    import torch.distributed.checkpoint as dcp

    content = {"app": {"model": dict(state()), "ema": dict(state())}, "step": torch.tensor(3)}
    dcp.save(content, checkpoint_id=path, no_dist=True)


def main(folder: Path) -> None:
    import __main__

    for name in ("Net", "Kind", "Config"):
        setattr(__main__, name, globals()[name])
    save_file(dict(state()), folder / "expected.safetensors")
    listed = {}
    for name, (key, write) in LAYOUTS.items():
        target = folder / name
        target.mkdir()
        write(target)
        files = sorted(target.iterdir())
        listed[name] = {"key": key, "path": str(target if len(files) > 1 else files[0])}
    (folder / "layouts.json").write_text(json.dumps(listed))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
