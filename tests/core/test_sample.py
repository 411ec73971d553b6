"""The digest of a sample: one changed pixel changes it, running twice does not."""

from __future__ import annotations

import subprocess
import sys
from copy import deepcopy
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mmbench.core.sample import Batch, Sample
from mmbench.core.targets import Boxes, JointTarget


def sample(sample_id="a", **fields):
    rgb = np.arange(4 * 5 * 3, dtype=np.uint8).reshape(4, 5, 3)
    depth = np.linspace(0, 1, 20, dtype=np.float32).reshape(4, 5)
    base = {"inputs": {"rgb": rgb, "depth": depth, "text": "a red ball"}, "target": np.zeros((4, 5), np.uint8)}
    return Sample(sample_id, **base | fields)


@given(st.sampled_from(["rgb", "depth"]), st.data())
def test_one_changed_pixel_changes_the_digest(modality, data):
    before = sample()
    array = before.inputs[modality].copy()
    at = data.draw(st.integers(0, array.size - 1))
    array.flat[at] += 1
    assert sample(inputs={**before.inputs, modality: array}).digest() != before.digest()


@given(st.integers(0, 19))
def test_one_changed_label_changes_the_digest(at):
    target = np.zeros((4, 5), np.uint8)
    target.flat[at] = 1
    assert sample(target=target).digest() != sample().digest()


def test_the_digest_is_the_same_in_another_process():
    """No memory address and no hash seed may get into it (a digest that changes with every run compares nothing)."""
    code = (
        "import numpy as np; from mmbench.core.sample import Sample;"
        "print(Sample('a', {'x': np.arange(6, dtype=np.int16).reshape(2, 3), 't': 'text', 'n': None}, 3.5).digest())"
    )
    here = Sample("a", {"x": np.arange(6, dtype=np.int16).reshape(2, 3), "t": "text", "n": None}, 3.5).digest()
    runs = [
        subprocess.run(
            [sys.executable, "-c", code], capture_output=True, text=True, check=True, env={"PYTHONHASHSEED": s}
        )
        for s in ("1", "2")
    ]
    assert [run.stdout.strip() for run in runs] == [here, here]
    assert here == "e784f3de0b8a70a5d20df7c2e9784fe8"


def test_digest_is_of_the_content_only():
    """The id has its own place in the key, the memory layout means nothing."""
    other = {name: np.asfortranarray(v) if isinstance(v, np.ndarray) else v for name, v in sample().inputs.items()}
    assert sample("b").digest() == sample().digest()
    assert sample(inputs=dict(reversed(other.items()))).digest() == sample().digest()


@pytest.mark.parametrize(
    "inputs",
    [
        {"x": np.zeros((2, 3), np.uint8)},
        {"x": np.zeros((3, 2), np.uint8)},
        {"x": np.zeros((2, 3), np.int8)},
        {"x": np.zeros((2, 3), np.float32)},
        {"y": np.zeros((2, 3), np.uint8)},
        {"x": np.zeros((2, 3), np.uint8), "y": np.zeros((2, 3), np.uint8)},
        {"x": None},
        {"x": ""},
        {"x": "0"},
        {"x": 0},
        {},
    ],
)
def test_name_shape_type_and_presence_are_content(inputs):
    digests = [Sample("a", table, None).digest() for table in ({"x": np.zeros((1, 6), np.uint8)}, inputs)]
    assert digests[0] != digests[1]


def test_an_absent_modality_is_not_zeros():
    zeros = sample(inputs={"rgb": np.zeros((4, 5, 3), np.uint8)})
    assert zeros.digest() != sample(inputs={}).digest() != sample(inputs={"rgb": None}).digest()


@pytest.mark.parametrize("value", [object(), [1, 2], np.array([object()], dtype=object)])
def test_what_has_no_stable_content_is_refused(value):
    with pytest.raises(TypeError, match="numpy arrays, text and numbers"):
        sample(inputs={"x": value}).digest()


def test_batch_keeps_absent_apart():
    both, one = sample("a"), replace(sample("b"), inputs={"rgb": sample().inputs["rgb"]})
    batch = Batch.of([both, one], ["rgb", "depth"])
    assert batch.ids == ("a", "b")
    assert len(batch) == 2
    assert batch.present["rgb"].tolist() == [True, True]
    assert batch.present["depth"].tolist() == [True, False]
    assert batch.inputs["depth"][1] is None
    assert batch.sizes == ((4, 5), (4, 5))


def test_batch_of_a_task_without_a_map_has_no_sizes():
    assert Batch.of([sample(target="yes")], ["rgb"], spatial=False).sizes == ()


BOXES = Boxes(np.array([[1, 2, 3, 4]], np.float32), np.array([1]))


@pytest.mark.parametrize(
    "target",
    [
        ("a red ball", "one ball"),
        ("a red ballone ball",),
        ("one ball", "a red ball"),
        Boxes(BOXES.boxes, np.array([2])),
        Boxes(BOXES.boxes + 1, BOXES.labels),
        Boxes(BOXES.boxes[:0], BOXES.labels[:0]),
        JointTarget({"vqa": "red", "classification": 3}),
        JointTarget({"vqa": "red", "classification": 2}),
        JointTarget({"vqa": "red"}),
    ],
)
def test_a_target_of_several_parts_is_digested_part_by_part(target):
    """Equal parts give equal digests; another value, order or number of parts another one."""
    others = ["a red ball", ("a red ball", "one ball", ""), BOXES, JointTarget({"classification": 2, "vqa": "blue"})]
    found = sample(target=target).digest()
    assert found == sample(target=deepcopy(target)).digest()
    assert found not in {sample(target=other).digest() for other in others}


def test_the_order_of_a_joint_targets_tasks_means_nothing():
    one, two = JointTarget({"vqa": "red", "classification": 3}), JointTarget({"classification": 3, "vqa": "red"})
    assert sample(target=one).digest() == sample(target=two).digest()


def test_what_has_no_stable_content_is_refused_inside_a_target():
    with pytest.raises(TypeError, match=r"target\.parts\.vqa. is a list"):
        sample(target=JointTarget({"vqa": ["red"]})).digest()
