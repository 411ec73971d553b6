"""The real thing: CamVid and CWFID under MMBENCH_DATA."""

import numpy as np
import pytest

from mmbench.content import load_suite
from mmbench.sources.opening import find_root, open_source


@pytest.fixture
def opened(data_root):
    def opened(name, split):
        data_root(name.removeprefix("seg-"))
        spec, _ = load_suite(name)
        return open_source(spec, {}, split, find_root(spec))

    return opened


def histogram(source, step=1):
    counts = np.zeros(256)
    for sample_id in source.ids[::step]:
        counts += np.bincount(source.load(sample_id).target.ravel(), minlength=256)
    return counts / counts.sum()


def test_camvid(opened):
    """59 test images of 360 x 480; road and building are the largest classes, bicyclist the smallest, void is rare."""
    source = opened("seg-camvid", "test")
    assert len(source.ids) == 59
    sample = source.load("0001TP_008550")
    assert sample.inputs["rgb"].shape == (360, 480, 3)
    assert sample.target.shape == (360, 480)
    assert sample.tags == {"video": "0001TP"}
    share = dict(zip([*source.classes, "void"], histogram(source, step=4)[:12], strict=True))
    assert sum(share.values()) == pytest.approx(1)
    assert sorted(share, key=share.get)[-2:] in (["building", "road"], ["road", "building"])
    assert 0 < share["bicyclist"] < 0.02
    assert 0 < share["void"] < 0.08
    assert 0.1 < share["sky"] < 0.25


def test_camvid_splits_are_disjoint(opened):
    parts = [set(opened("seg-camvid", split).ids) for split in ("train", "val", "test")]
    assert [len(part) for part in parts] == [92, 40, 59]
    assert not set.intersection(*parts)


def test_cwfid(opened):
    """8 test images of 966 x 1296; soil is nine tenths; plants are brighter in near infrared, and darker in red."""
    source = opened("seg-cwfid", "test")
    assert source.ids == ("001", "003", "004", "009", "010", "013", "029", "030")
    assert source.notes[0].startswith("8 of the 21 samples")
    sample = source.load("001")
    red, nir, plants = sample.inputs["red"], sample.inputs["nir"], sample.target > 0
    assert red.shape == nir.shape == sample.target.shape == (966, 1296)
    assert red.dtype == nir.dtype == np.float32
    assert nir[plants].mean() > 1.3 * nir[~plants].mean()
    assert red[plants].mean() < red[~plants].mean()
    share = np.bincount(sample.target.ravel()) / sample.target.size
    assert share.tolist() == pytest.approx([1_047_760 / 1_251_936, 30_589 / 1_251_936, 173_587 / 1_251_936])


def test_cwfid_splits(opened):
    """16 official training images are there; what is trained on and what chooses the checkpoint share none of them."""
    train, fit, val = (opened("seg-cwfid", split) for split in ("train", "fit", "val"))
    assert len(train.ids) == 16
    assert set(fit.ids) | set(val.ids) == set(train.ids)
    assert not set(fit.ids) & set(val.ids)
    assert val.ids == ("008", "017", "024")
