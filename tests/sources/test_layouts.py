"""Every suite of real data reads a small directory made in the official layout of its set."""

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from mmbench.content import load_suite, suite_files
from mmbench.core.errors import LoadError
from mmbench.core.metric import metric_named
from mmbench.sources.opening import open_source

SPLITS = ("train", "val", "test")


def camvid(d):
    for split in SPLITS:
        lines = []
        for name in (f"0001TP_{split}1", f"Seq05VD_f{split}2"):
            d.rgb(f"CamVid/{split}/{name}.png")
            d.labels(f"CamVid/{split}annot/{name}.png", 12)
            lines.append(f"/SegNet/CamVid/{split}/{name}.png /SegNet/CamVid/{split}annot/{name}.png\n")
        d.text(f"CamVid/{split}.txt", "".join(lines))


def cwfid(d):
    colours = np.array([[0, 0, 0], [0, 255, 0], [255, 0, 0]], np.uint8)
    for i in range(1, 13):
        d.rgb(f"images/{i:03d}_image.png")
        d.picture(f"annotations/{i:03d}_annotation.png", colours[np.resize([0, 1, 2], d.size)])
    d.text("train_test_split.yaml", "train: [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 12, 99]\ntest: [11, 12, 98]\n")


def rgbd(d, folder, label, classes, hha):
    for split in ("train", "test"):
        for i in range(12):
            d.picture(f"RGB/{split}{i}.jpg", np.zeros((*d.size, 3), np.uint8))
            if hha:
                d.picture(f"{folder}/{split}{i}.jpg", np.zeros((*d.size, 3), np.uint8))
            else:
                d.picture(f"{folder}/{split}{i}.png", np.full(d.size, 1500 << 3, np.uint16))
            d.labels(f"{label}/{split}{i}.png", classes + 1)
        d.text(f"{split}.txt", "".join(f"{split}{i}\n" for i in range(12)))


def nyuv2(d):
    rgbd(d, "HHA", "Label", 40, hha=True)


def sunrgbd(d):
    rgbd(d, "Depth", "labels", 37, hha=False)


def mfnet(d):
    for i, split in enumerate(SPLITS):
        names = (f"0000{i}D", f"0000{i}N")
        for name in names:
            d.rgb(f"images/{name}.png", channels=4)
            d.labels(f"labels/{name}.png", 9)
        d.text(f"{split}.txt", "".join(f"{name}\n" for name in names))
    d.text("test_day.txt", "00002D\n")
    d.text("test_night.txt", "00002N\n")


def deliver(d):
    for split in SPLITS:
        for weather, sequence in (("cloud", "MAP_1_point2"), ("fog", "MAP_1_point2_motionblur")):
            place = f"{weather}/{split}/{sequence}"
            for folder, name in (("img", "rgb"), ("hha", "depth"), ("lidar", "lidar")):
                d.rgb(f"{folder}/{place}/045050_{name}_front.png", channels=4)
            d.rgb(f"event/{place}/045050_event_front.png", size=(3, 4))
            stored = np.zeros((*d.size, 4), np.uint8)
            stored[..., 0] = np.resize([*range(26), 255], d.size)
            stored[..., 1:] = 77
            d.picture(f"semantic/{place}/045050_semantic_front.png", stored)


def cityscapes(d):
    for split, cities in (("train", ("aachen", "ulm")), ("val", ("frankfurt", "lindau"))):
        for city in cities:
            for i in range(6):
                name = f"{city}_{i:06d}_000019"
                d.rgb(f"leftImg8bit/{split}/{city}/{name}_leftImg8bit.png")
                d.labels(f"gtFine/{split}/{city}/{name}_gtFine_labelIds.png", 34)
                d.labels(f"gtFine/{split}/{city}/{name}_gtFine_instanceIds.png", 34)


def voc2012(d):
    palette = np.arange(768) % 256
    for i in range(12):
        for split in ("train", "val"):
            name = f"{split}_{i:06d}"
            d.picture(f"VOC2012/JPEGImages/{name}.jpg", np.zeros((*d.size, 3), np.uint8))
            file = d.root / f"VOC2012/SegmentationClass/{name}.png"
            file.parent.mkdir(parents=True, exist_ok=True)
            labels = Image.new("P", d.size[::-1])
            labels.putdata(np.resize([*range(21), 255], d.size).ravel().tolist())
            labels.putpalette(palette.tolist())
            labels.save(file)
    for split in ("train", "val"):
        names = "".join(f"{split}_{i:06d}\n" for i in range(12))
        d.text(f"VOC2012/ImageSets/Segmentation/{split}.txt", names)


def ade20k(d):
    for folder, name in (("training", "train"), ("validation", "val")):
        for i in range(1, 12):
            file = f"{folder}/ADE_{name}_{i:08d}"
            d.picture(f"ADEChallengeData2016/images/{file}.jpg", np.zeros((*d.size, 3), np.uint8))
            d.labels(f"ADEChallengeData2016/annotations/{file}.png", [0, 1, 2, 149, 150])


MAKERS: dict[str, Callable[..., None]] = {
    "seg-ade20k": ade20k,
    "seg-camvid": camvid,
    "seg-cityscapes": cityscapes,
    "seg-cwfid": cwfid,
    "seg-deliver": deliver,
    "seg-mfnet": mfnet,
    "seg-nyuv2": nyuv2,
    "seg-sunrgbd": sunrgbd,
    "seg-voc2012": voc2012,
}

# Number of classes, samples of train / val / test, labels that occur in the test target, first id.
EXPECTED = {
    "seg-ade20k": (150, (10, 1, 11), [0, 1, 148, 149, 255], "ADE_val_00000001"),
    "seg-camvid": (11, (2, 2, 2), list(range(12)), "0001TP_test1"),
    "seg-cityscapes": (19, (11, 1, 12), [*range(19), 255], "frankfurt_000000_000019"),
    "seg-cwfid": (3, (8, 2, 2), [0, 1, 2], "011"),
    "seg-deliver": (25, (2, 2, 2), [*range(25), 255], "cloud/test/MAP_1_point2/045050_front"),
    "seg-mfnet": (9, (2, 2, 2), list(range(9)), "00002D"),
    "seg-nyuv2": (40, (11, 1, 12), [*range(40), 255], "test0"),
    "seg-sunrgbd": (37, (11, 1, 12), [*range(37), 255], "test0"),
    "seg-voc2012": (21, (11, 1, 12), [*range(21), 255], "val_000000"),
}


COCO_CAPTIONS = {"images": [{"id": 42, "file_name": "a.jpg"}], "annotations": [{"image_id": 42, "caption": "a dog"}]}
KARPATHY = {"images": [{"cocoid": 42, "split": "test", "filename": "a.jpg", "sentences": [{"raw": "a dog"}]}]}
ANSWERS = [{"answer": "red"}] * 10
ASKED = {"question_id": 7, "image_id": 42, "question_type": "what", "answer_type": "other", "answers": ANSWERS}
VIZWIZ = [{"image": "v.jpg", "question": "What?", "answer_type": "other", "answerable": 1, "answers": ANSWERS}]
TEXTVQA = {"data": [{"question_id": 7, "image_id": "ab", "question": "What?", "answers": ["red"] * 10}]}
GQA = {"07": {"question": "Red?", "imageId": "n1", "answer": "yes", "isBalanced": True, "types": {}}}
OBJECT = {"id": 1, "image_id": 42, "category_id": 1, "bbox": [1, 1, 5, 3], "area": 15, "num_keypoints": 17}
OBJECTS = {
    "images": [{"id": 42, "height": 6, "width": 8}],
    "categories": [{"id": 1, "name": "person"}],
    "annotations": [OBJECT | {"segmentation": [[1, 1, 6, 1, 6, 4]], "keypoints": [1.0] * 51}],
}

# Where the annotations lie, what they hold, and the id and the picture of their only sample.
ANNOTATED = {
    "caption-coco": ("annotations/captions_val2014_karpathy_test.json", COCO_CAPTIONS, "42", "a.jpg"),
    "caption-flickr30k": ("results_20130124.token", "42.jpg#0\ta dog\n", "42", "flickr30k-images/42.jpg"),
    "caption-karpathy": ("dataset_coco.json", KARPATHY, "42", "a.jpg"),
    "caption-nocaps": ("nocaps_val_4500_captions.json", COCO_CAPTIONS, "42", "val/a.jpg"),
    "det-coco": ("annotations/instances_val2017.json", OBJECTS, "42", "val2017/000000000042.jpg"),
    "det-coco-keypoints": ("annotations/person_keypoints_val2017.json", OBJECTS, "42", "val2017/000000000042.jpg"),
    "det-coco-segm": ("annotations/instances_val2017.json", OBJECTS, "42", "val2017/000000000042.jpg"),
    "vqa-gqa": ("questions/testdev_balanced_questions.json", GQA, "07", "images/n1.jpg"),
    "vqa-okvqa": (
        "mscoco_val2014_annotations.json",
        {"annotations": [ASKED]},
        "7",
        "val2014/COCO_val2014_000000000042.jpg",
    ),
    "vqa-textvqa": ("TextVQA_0.5.1_val.json", TEXTVQA, "7", "train_images/ab.jpg"),
    "vqa-v2": ("Annotations/v2_mscoco_val2014_annotations.json", {"annotations": [ASKED]}, "7", ""),
    "vqa-vizwiz": ("Annotations/val.json", VIZWIZ, "v.jpg", "val/v.jpg"),
    "vqa-vizwiz-answerability": ("Annotations/val.json", VIZWIZ, "v.jpg", "val/v.jpg"),
}


@pytest.fixture
def opened(data, request):
    """The suite's source of a split, on its layout; 48 pixels hold every label."""
    spec, _ = load_suite(request.param)
    MAKERS[spec.name](data)
    return lambda split: open_source(spec, {}, split, data.root)


def test_every_suite_of_real_data_is_tested_here():
    real = {name for name in suite_files() if "real" in load_suite(name)[0].tags}
    assert real == set(MAKERS) | set(ANNOTATED)


@pytest.mark.parametrize("name", ANNOTATED)
def test_the_suite_reads_its_annotations(name, data):
    """By the suite's defaults; metrics are of its task, and the sample is scored without its picture."""
    spec, _ = load_suite(name)
    path, content, sample_id, picture = ANNOTATED[name]
    data.text(path, content if isinstance(content, str) else json.dumps(content))
    source = open_source(spec, spec.resolve({}), spec.split, data.root)
    assert tuple(source.ids) == (sample_id,)
    assert source.without_inputs(sample_id).inputs == {}
    assert "/".join(filter(None, (source.pictures, source.items[0].image))) == picture
    assert {metric_named(metric).task for metric in spec.metrics} == {spec.task}


@pytest.mark.parametrize("name", MAKERS)
def test_the_suite_reads_its_layout(name, data):
    """Ids, class count, labels after mapping, sizes of the splits, and every sample of every split loads."""
    spec, _ = load_suite(name)
    MAKERS[name](data)
    classes, sizes, labels, first = EXPECTED[name]
    sources = [open_source(spec, {}, split, data.root) for split in (spec.train_split, spec.val_split, spec.split)]
    assert tuple(len(source.ids) for source in sources) == sizes
    assert len(sources[2].classes) == classes == len(set(sources[2].classes))
    assert sources[2].ids[0] == first
    assert np.unique(sources[2].load(first).target).tolist() == labels
    trained, chosen, tested = (set(source.ids) for source in sources)
    assert trained.isdisjoint(chosen)
    assert tested.isdisjoint(trained | chosen)
    for source in sources:
        for sample_id in source.ids:
            sample = source.load(sample_id)
            assert set(sample.inputs) == set(spec.modalities) == set(source.modalities)
            assert all(value.shape[:2] == sample.target.shape == data.size for value in sample.inputs.values())


@pytest.mark.parametrize("name", MAKERS)
def test_an_empty_root_is_one_sentence(name, tmp_path):
    spec, _ = load_suite(name)
    with pytest.raises(LoadError, match=r"missing|empty"):
        open_source(spec, {}, spec.split, tmp_path)


@pytest.mark.parametrize("name", MAKERS)
def test_the_suite_says_licence_and_source_and_what_is_special(name):
    spec, _ = load_suite(name)
    assert spec.licence
    assert spec.citation
    assert spec.notes
    assert spec.source.root
    assert Path(spec.source.root[0]).name == name.removeprefix("seg-")


@pytest.mark.parametrize("opened", ["seg-deliver"], indirect=True)
def test_deliver_is_sliced_by_weather_and_failure(opened):
    source = opened("test")
    tags = [source.load(sample_id).tags for sample_id in source.ids]
    assert tags == [{"weather": "cloud", "failure": "none"}, {"weather": "fog", "failure": "MB"}]
    assert source.load(source.ids[0]).group == "cloud/test/MAP_1_point2"


@pytest.mark.parametrize("opened", ["seg-mfnet"], indirect=True)
def test_mfnet_is_sliced_by_time_and_thermal_is_the_fourth_channel(opened, data):
    stored = data.rgb("images/00002D.png", channels=4)
    sample = opened("test").load("00002D")
    assert sample.tags == {"time": "day"}
    assert opened("test_night").ids == ("00002N",)
    np.testing.assert_array_equal(sample.inputs["rgb"], stored[..., :3])
    np.testing.assert_array_equal(sample.inputs["thermal"], stored[..., 3])


@pytest.mark.parametrize("opened", ["seg-sunrgbd"], indirect=True)
def test_sunrgbd_depth_is_in_metres(opened):
    assert np.unique(opened("test").load("test0").inputs["depth"]).tolist() == [1.5]


@pytest.mark.parametrize("opened", ["seg-cityscapes"], indirect=True)
def test_cityscapes_ids_become_the_classes_of_the_benchmark(opened, data):
    """labelIds 7 road, 26 car, 33 bicycle; 9 parking, 29 caravan are not scored."""
    name = "frankfurt_000000_000019"
    source = opened("val")
    data.labels(f"gtFine/val/frankfurt/{name}_gtFine_labelIds.png", [7, 26, 33, 9, 29, 0])
    labels = source.load(name).target.ravel()[:6].tolist()
    assert [source.classes[label] for label in labels[:3]] == ["road", "car", "bicycle"]
    assert labels[3:] == [255, 255, 255]


@pytest.mark.parametrize("opened", ["seg-cwfid"], indirect=True)
def test_cwfid_does_not_train_on_what_it_tests(opened):
    """12 is in both official lists, 98 and 99 are not there."""
    source = opened("test")
    assert source.ids == ("011", "012")
    assert source.notes == ("2 of the 3 samples of the split 'test' are there; the others were left out.",)
    assert "012" in opened("train").ids
    assert "012" not in opened("fit").ids + opened("val").ids
