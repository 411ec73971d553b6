"""A proposed suite opens, and every sample of it loads."""

import tomllib

import numpy as np
import pytest

from mmbench.content import read_suite
from mmbench.core.errors import LoadError, SampleError, UsageError
from mmbench.sources.discover.proposal import propose
from mmbench.sources.opening import open_source


def write_and_open(data, folder, **options):
    """What ``mmbench init`` does: returns the spec and its sources by role."""
    proposal = propose(data, None, "mine", **options)
    folder.mkdir(exist_ok=True)
    (folder / "mine.toml").write_text(proposal.toml, encoding="utf-8")
    for name, ids in proposal.lists.items():
        (folder / name).write_text("".join(f"{i}\n" for i in ids), encoding="utf-8")
    spec = read_suite(folder / "mine.toml")
    sources = [open_source(spec, {}, split) for split in (spec.train_split, spec.val_split, spec.split)]
    ids = [sample_id for source in sources for sample_id in source.ids]
    assert len(set(ids)) == len(ids), "train, val and test must share no sample"
    for source in sources:
        for sample_id in source.ids:
            assert set(source.load(sample_id).inputs) == set(spec.modalities)
    return spec, sources, proposal


@pytest.fixture
def out(tmp_path_factory):
    return tmp_path_factory.mktemp("suites")


def fill(data, pattern, count=12):
    for i in range(count):
        data.rgb(pattern.format("rgb", i))
        data.depth(pattern.format("depth", i), largest=5000)
        data.labels(pattern.format("labels", i), [0, 1, 2, 255])


def test_a_folder_without_splits_gets_lists_beside_the_suite_file(data, out):
    fill(data, "{}/{:03d}.png")
    before = sorted(data.root.rglob("*"))
    spec, sources, proposal = write_and_open(data.root, out, seed=3)
    assert sorted(data.root.rglob("*")) == before
    assert spec.modalities == ("rgb", "depth")
    assert [len(source.ids) for source in sources] == [9, 1, 2]
    assert sources[0].ignore == 255
    assert sources[0].classes == ("class_0", "class_1", "class_2")
    assert sources[0].modalities["depth"].unit == "m"
    assert set(proposal.lists) == {"mine.train.txt", "mine.val.txt", "mine.test.txt"}
    assert "seed 3" in proposal.toml


def test_split_folders_and_scenes(data, out):
    """Folders below the split are the scenes, and the scene is the unit of resampling."""
    for split, count in (("train", 10), ("val", 2), ("test", 3)):
        fill(data, f"{split}/{{}}/scene{{}}/0.png", count)
    _, sources, proposal = write_and_open(data.root, out)
    assert [len(source.ids) for source in sources] == [10, 2, 3]
    assert sources[2].load("test/scene1/0").group == "test/scene1"
    assert not proposal.lists


def test_lists_that_are_there_are_used(data, out):
    fill(data, "{}/{:03d}.png")
    data.text("train.txt", "".join(f"{i:03d}.png\n" for i in range(11)))
    data.text("test.txt", "011.png\n")
    spec, sources, _ = write_and_open(data.root, out)
    assert spec.train_split == "fit"
    assert [len(source.ids) for source in sources] == [10, 1, 1]


def test_scenes_with_lists(data, out):
    for scene in "ab":
        fill(data, f"{{}}/{scene}/{{}}.png", 6)
    data.text("train.txt", "".join(f"{s}/{i}\n" for s in "ab" for i in range(5)))
    data.text("test.txt", "a/5\nb/5\n")
    _, sources, _ = write_and_open(data.root, out)
    assert sources[2].ids == ("a/5", "b/5")
    assert sources[2].load("b/5").group == "b"


def test_files_without_a_partner_are_left_out_and_counted(data, out):
    fill(data, "{}/train/{:03d}.png")
    fill(data, "{}/test/{:03d}.png", 3)
    data.rgb("rgb/test/extra.png")
    spec, sources, proposal = write_and_open(data.root, out)
    assert spec.source.params["missing"] == "skip"
    assert sources[2].notes[0].startswith("3 of the 4")
    assert any("16 in rgb/" in note for note in proposal.notes)


def test_a_folder_with_braces_in_its_path(data, out):
    """The lists' folder is put in as text, whatever characters it has."""
    fill(data, "{}/{:03d}.png")
    _, sources, _ = write_and_open(data.root, out / "my {odd} [name] *")
    assert len(sources[0].ids) == 9


def test_coloured_labels_and_arrays(data, out):
    table = np.array([[0, 0, 0], [255, 0, 0], [0, 255, 0]], np.uint8)
    for i in range(4):
        (data.root / "height").mkdir(exist_ok=True)
        np.save(data.root / f"height/{i}.npy", np.full(data.size, 2.5 + i))
        data.picture(f"masks/{i}.png", table[np.resize([0, 1, 2], data.size)])
    spec, sources, _ = write_and_open(data.root, out)
    assert spec.modalities == ("height",)
    assert np.unique(sources[0].load(sources[0].ids[0]).target).tolist() == [0, 1, 2]


def test_a_manifest(data, out):
    rows = ["id,split,image,ir,mask,scene,weather,comment"]
    for i in range(12):
        data.rgb(f"p/{i}.png")
        data.depth(f"q/{i}.png")
        data.labels(f"r/{i}.png", 2)
        split = "train" if i < 9 else "test"
        rows.append(f"s{i},{split},p/{i}.png,q/{i}.png,r/{i}.png,g{i % 4},{'fog' if i % 2 else 'sun'},text {i}")
    rows.append("s99,test,,q/0.png,r/0.png,g0,sun,no picture")
    data.text("table.csv", "\n".join(rows))
    with pytest.raises(SampleError, match="'s99' has no rgb"):
        write_and_open(data.root, out)
    data.text("table.csv", "\n".join(rows[:-1]))
    spec, sources, proposal = write_and_open(data.root, out)
    assert spec.modalities == ("rgb", "ir")
    sample = sources[2].load("s9")
    assert (sample.group, sample.tags) == ("g1", {"weather": "fog"})
    assert "comment" not in proposal.toml
    assert not proposal.lists


def test_a_manifest_without_splits_gets_lists(data, out):
    lines = []
    for i in range(10):
        data.rgb(f"p/{i}.png")
        data.labels(f"r/{i}.png", 2)
        lines.append(f'{{"name": "s{i}", "image": "p/{i}.png", "label": "r/{i}.png"}}')
    data.text("m.jsonl", "\n".join(lines))
    _, sources, proposal = write_and_open(data.root / "m.jsonl", out)
    assert [len(source.ids) for source in sources] == [7, 1, 2]
    assert len(proposal.lists) == 3


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("id,image\n1,p/0.png\n", r"One column of paths must be called like label or mask; none"),
        ("id,image,label,mask\n1,p/0.png,r/0.png,r/0.png\n", "several"),
        ("key,image,label\n1,p/0.png,r/0.png\n", "needs a column id; it has: key, image, label"),
        ("id,label\n1,r/0.png\n", "paths to pictures beside the labels"),
        ("id,split,image,label\n1,a,p/0.png,r/0.png\n", "column 'split' holds 'a'"),
        ("id,image,label\n1,nowhere.png,nowhere.png\n", "under the root"),
    ],
)
def test_a_manifest_that_cannot_be_understood_is_one_sentence(data, text, says):
    data.rgb("p/0.png")
    data.labels("r/0.png", 2)
    data.text("m.csv", text)
    with pytest.raises(UsageError, match=says):
        propose(data.root, None, "mine")


def test_several_manifests_are_refused(data):
    data.text("a.csv", "id\n")
    data.text("b.jsonl", "")
    with pytest.raises(UsageError, match=r"several manifests \(a\.csv, b\.jsonl\)"):
        propose(data.root, None, "mine")


def test_what_is_not_there_or_no_data_is_refused(data):
    with pytest.raises(LoadError, match="does not exist"):
        propose(data.root / "nope", None, "mine")
    data.text("x.txt", "")
    with pytest.raises(UsageError, match="no folder and no manifest"):
        propose(data.root / "x.txt", None, "mine")


def test_the_same_data_gives_the_same_text(data):
    fill(data, "{}/{:03d}.png")
    first, second = propose(data.root, None, "mine"), propose(data.root, None, "mine")
    assert first == second
    assert tomllib.loads(first.toml)["source"]["root"] == [str(data.root.resolve())]
