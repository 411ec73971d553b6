"""Models of transformers, saved as their authors save them, answer the suites of their task."""

from __future__ import annotations

import json
import runpy
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from mmbench.adapters.opening import open_model
from mmbench.core.errors import LoadError
from mmbench.core.model import Model, ModelOptions
from mmbench.core.prediction import ClassScores, Detections, LabelMap, Text
from mmbench.core.sample import Batch
from mmbench.core.source import Modality
from mmbench.core.suite import SourceTable, SuiteSpec

pytestmark = [
    pytest.mark.filterwarnings("ignore::FutureWarning"),  # of transformers about itself
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),
    pytest.mark.filterwarnings("ignore::UserWarning"),
]
CLASSES = ("cup", "ball", "background")  # the model's classes in another order
KINDS = {
    "rgb": Modality("rgb", "image", 3),
    "text": Modality("text", "text", 1),
    "audio": Modality("audio", "audio", 1, rate=16000),
}
TASKS = {
    "segmentation": (("rgb",), "miou", ("segformer", "upernet", "mask2former", "clipseg"), LabelMap),
    "referring-segmentation": (("rgb", "text"), "referring-miou", ("clipseg",), LabelMap),
    "captioning": (("rgb",), "bleu4", ("blip_caption", "git", "vit_gpt2", "llava"), Text),
    "vqa": (("rgb", "text"), "accuracy", ("blip_vqa", "vilt", "llava"), Text),
    "detection": (("rgb",), "ap", ("detr", "grounding_dino"), Detections),
    "classification": (("rgb",), "accuracy", ("vit",), ClassScores),
    "classification of audio": (("audio",), "accuracy", ("wav2vec2",), ClassScores),
    "classification of text": (("text",), "accuracy", ("bert",), ClassScores),
}
CASES = [(task, name) for task, (_, _, names, _) in TASKS.items() for name in names]


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Path]:
    """The folder of a tiny model, written when it is first asked for."""
    write = runpy.run_path(str(Path(__file__).with_name("tiny.py")))["write"]
    root = tmp_path_factory.mktemp("models")
    return lambda name: root / name if (root / name).exists() else write(name, root / name)


class Source:
    """The part of a source that ``open_model`` looks at."""

    ignore = 255
    ids = ()

    def __init__(self, modalities: tuple[str, ...], classes: tuple[str, ...]) -> None:
        self.classes = classes
        self.modalities = {m: KINDS[m] for m in modalities}


def opened(folder: Path, task: str, classes: tuple[str, ...] = CLASSES, **options: Any) -> Model:
    modalities, metric, _, _ = TASKS[task]
    source = Source(modalities, () if task in ("captioning", "vqa") else classes)
    spec = SuiteSpec(
        name="toy",
        version=1,
        title="Toy",
        task=task.partition(" ")[0],
        modalities=modalities,
        metrics=(metric,),
        primary=metric,
        source=SourceTable(kind="none"),
    )
    locator = options.pop("locator", f"hf:{folder}")
    return open_model(locator, spec, source, ModelOptions(device="cpu", **options))  # type: ignore[arg-type]


def batch_for(task: str, count: int = 3) -> Batch:
    random = np.random.Generator(np.random.Philox(1))
    inputs = {
        "rgb": tuple(random.integers(0, 256, (40, 48, 3), dtype=np.uint8) for _ in range(count)),
        "text": ("what colour is the ball ?", "a cup", "what is red")[:count],
        "audio": tuple(random.standard_normal(1600).astype(np.float32) for _ in range(count)),
    }
    chosen = {m: inputs[m] for m in TASKS[task][0]}
    present = {m: np.ones(count, dtype=bool) for m in chosen}
    sizes = ((40, 48),) * count if "segmentation" in task else ()
    return Batch(tuple(f"s{i}" for i in range(count)), chosen, present, sizes)


@pytest.mark.parametrize(("task", "name"), CASES)
def test_each_architecture_answers_in_the_form_of_its_task(made: Callable[[str], Path], task: str, name: str) -> None:
    """And twice the same, with the weights' digest and nothing allowed that was not asked for."""
    model = opened(made(name), task)
    outcomes = model.predict(batch_for(task))
    assert all(isinstance(o, TASKS[task][3]) for o in outcomes), outcomes
    assert [o.sample_id for o in outcomes] == ["s0", "s1", "s2"]
    assert [o.encode() for o in outcomes] == [o.encode() for o in model.predict(batch_for(task))]
    assert model.info.modalities == TASKS[task][0]
    assert model.info.consents == ()
    assert len(model.info.digest) == 32
    assert model.info.preprocessing["class"]


def test_at_least_eight_architectures_are_tested() -> None:
    assert len({name for _, name in CASES}) >= 8


def test_a_folder_is_recognised_without_its_scheme(made: Callable[[str], Path]) -> None:
    folder = made("segformer")
    assert opened(folder, "segmentation", locator=str(folder)).info.digest == opened(folder, "segmentation").info.digest


def test_a_folder_of_weights_with_an_architecture_is_a_checkpoint(made: Callable[[str], Path], tmp_path: Path) -> None:
    """With --arch the folder's weights are wanted, not its model."""
    (tmp_path / "my.py").write_text("import torch\nclass Net(torch.nn.Linear):\n    pass\n")
    options = {"arch": f"{tmp_path}/my.py:Net", "arch_kwargs": {"in_features": 1, "out_features": 1}}
    with pytest.raises(LoadError, match=r"The weights in .* do not fit Net, which has 2: 2 missing"):
        opened(made("segformer"), "segmentation", locator=str(made("segformer")), **options)


def test_the_device_map_is_passed_on(made: Callable[[str], Path], monkeypatch: pytest.MonkeyPatch) -> None:
    import transformers

    seen = {}
    load = transformers.AutoModelForSemanticSegmentation.from_pretrained

    def observed(name: str, **options: Any) -> Any:
        seen.update(options)
        return load(name, **{k: v for k, v in options.items() if k != "device_map"})

    monkeypatch.setattr(transformers.AutoModelForSemanticSegmentation, "from_pretrained", observed)
    opened(made("segformer"), "segmentation", device_map="balanced")
    assert seen["device_map"] == "balanced"
    assert seen["trust_remote_code"] is False


def test_classes_are_matched_by_name(made: Callable[[str], Path]) -> None:
    """Law: the order of a model's classes is not the suite's; names decide, not places."""
    folder = made("segformer")
    own = opened(folder, "segmentation", ("background", "cup", "ball")).predict(batch_for("segmentation"))
    other = opened(folder, "segmentation", ("ball", "Cup", "background")).predict(batch_for("segmentation"))
    names = np.array(["background", "cup", "ball"]), np.array(["ball", "cup", "background"])
    for a, b in zip(own, other, strict=True):
        assert np.array_equal(names[0][a.labels], names[1][b.labels])
        assert len(np.unique(a.labels)) > 1
    with pytest.raises(LoadError, match="knows 3 classes"):
        opened(folder, "segmentation", ("a", "b")).predict(batch_for("segmentation"))


def test_a_model_of_another_task_is_a_sentence(made: Callable[[str], Path]) -> None:
    with pytest.raises(LoadError, match="is a segformer model, which transformers does not offer for captioning"):
        opened(made("segformer"), "captioning")
    with pytest.raises(LoadError, match=r"lacks 2 weights of the model for classification .*--partial"):
        opened(made("bert_without_a_head"), "classification of text")
    info = opened(made("bert_without_a_head"), "classification of text", partial=True).info
    assert info.consents == ("weights that do not fit were allowed (--partial)",)
    assert info.preprocessing["left"]["missing"] == ["classifier.bias", "classifier.weight"]


def test_code_of_a_repository_is_not_run(made: Callable[[str], Path], tmp_path: Path) -> None:
    """Law: a config that names code of its folder is refused, and nothing of the code runs."""
    mark = tmp_path / "ran"
    (tmp_path / "m").mkdir()
    (tmp_path / "m" / "evil.py").write_text(f"open({str(mark)!r}, 'w')\nclass C: pass\n")
    table = {"model_type": "evil", "auto_map": {"AutoConfig": "evil.C", "AutoModelForSemanticSegmentation": "evil.C"}}
    (tmp_path / "m" / "config.json").write_text(json.dumps(table))
    with pytest.raises(LoadError, match="cannot be opened with transformers"):
        opened(tmp_path / "m", "segmentation")
    assert not mark.exists()


def test_a_hostile_bin_is_never_loaded(made: Callable[[str], Path], tmp_path: Path) -> None:
    """Law: neither code nor a crash: ``weights_only`` sees a .bin after it was looked at."""
    corpus = runpy.run_path(str(Path(__file__).parents[1] / "weights" / "hostile.py"))["FILES"]
    for name in ("reduce", "tuples_as_a_key"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "config.json").write_text((made("segformer") / "config.json").read_text())
        corpus[name](tmp_path / name, tmp_path / "ran").rename(tmp_path / name / "pytorch_model.bin")
        with pytest.raises(LoadError, match=r"holds more than weights|nested too deeply"):
            opened(tmp_path / name, "segmentation")
    assert not (tmp_path / "ran").exists()


def test_the_offline_flag_is_respected(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    with pytest.raises(LoadError, match="cannot be opened with transformers"):
        opened(Path("nobody/nothing"), "segmentation", locator="hf:nobody/nothing@main")


def test_the_prompt_is_recorded(made: Callable[[str], Path]) -> None:
    model = opened(made("llava"), "vqa", prompt="what is {question}")
    assert model.info.preprocessing["asked"]["prompt"] == "what is {question}"
    assert opened(made("llava"), "captioning").info.preprocessing["asked"]["prompt"].startswith("Describe")
