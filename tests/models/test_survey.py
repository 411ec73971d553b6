"""What is known of the training samples before training."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
import torch

from mmbench.core.errors import LoadError
from mmbench.core.sample import Sample
from mmbench.core.source import Modality
from mmbench.models.audio_encoder import Spectrogram
from mmbench.models.config import AudioConfig, InputConfig, PictureConfig, TextConfig
from mmbench.models.data import Items
from mmbench.models.splits import Splits
from mmbench.models.survey import class_weights, inputs_of, label_counts
from mmbench.models.tasks.pooled import Classification
from mmbench.models.tasks.task import Labels


def test_equals_a_computation_over_all_pixels(splits: Splits, items_of: Callable[..., Items]) -> None:
    """Mean and std per channel in the ranges of the contract; pixels per class without the ignored ones."""
    source = splits.train
    samples = [source.load(i) for i in source.ids]
    items = items_of(source)
    found = inputs_of(items, source.ids)
    for name, unit in (("rgb", 255.0), ("depth", 1.0)):
        values = np.stack([s.inputs[name].reshape(256, -1) for s in samples]).astype(np.float64) / unit
        np.testing.assert_allclose(_picture(found[name]).mean, values.mean(axis=(0, 1)), rtol=1e-6)
        np.testing.assert_allclose(_picture(found[name]).std, values.std(axis=(0, 1)), rtol=1e-6)
    labels = np.stack([s.target for s in samples])
    assert label_counts(items, source.ids).tolist() == np.bincount(labels[labels != 255], minlength=3).tolist()


def _picture(table: InputConfig) -> PictureConfig:
    assert isinstance(table, PictureConfig)
    return table


def test_a_constant_plane_can_still_be_normalised(splits: Splits, items_of: Callable[..., Items]) -> None:
    """Its std is a thousandth of the modality's scale, not 0; a modality that no sample has keeps mean 0."""
    modalities = {"depth": Modality("depth", "plane", 1, "m", 4.0), "sonar": Modality("sonar", "plane", 1, "m", 2.0)}
    source = replace(splits.train, count=1)  # type: ignore[type-var]
    items = items_of(source, modalities)
    sonar = _picture(inputs_of(items, source.ids)["sonar"])
    assert (sonar.mean, sonar.std) == ((0.0,), (0.002,))


def test_a_split_without_labels_is_refused(splits: Splits, items_of: Callable[..., Items]) -> None:
    items = items_of(splits.train, label=lambda _: np.full((16, 16), -100))
    with pytest.raises(LoadError, match="has no labelled pixel"):
        label_counts(items, splits.train.ids)


def test_class_weights() -> None:
    """power 0: all 1; power 1: every class has the same share of the loss; a class never seen counts as the rarest."""
    pixels = torch.tensor([80.0, 20.0, 0.0], dtype=torch.float64)
    torch.testing.assert_close(class_weights(pixels, 0), torch.ones(3))
    torch.testing.assert_close(class_weights(pixels, 1) * pixels.float(), torch.tensor([50.0, 50.0, 0.0]))
    assert class_weights(pixels, 1)[2] == class_weights(pixels, 1)[1]
    half = class_weights(pixels, 0.5)
    torch.testing.assert_close(half[1] / half[0], torch.tensor(2.0))
    torch.testing.assert_close((half * pixels.float()).sum(), pixels.sum().float())


class Talking:
    """Three samples with a text and a recording, the second without its recording."""

    texts = ("The red disc!", "a red square", "the disc")

    def load(self, sample_id: str) -> Sample:
        place = int(sample_id)
        wave = np.sin(np.arange(4000 + 1000 * place) / 7).astype(np.float32)
        return Sample(sample_id, {"text": self.texts[place]} | ({} if place == 1 else {"audio": wave}), 0)


def test_texts_give_a_vocabulary_and_recordings_a_scale() -> None:
    """All words and marks, sorted, and the longest text; mean and std of the log-spectrograms."""
    modalities = {"text": Modality("text", "text", 1), "audio": Modality("audio", "audio", 1, rate=8000)}
    items = Items(Talking(), modalities, Classification(), Labels(("one", "two")))  # type: ignore[arg-type]
    found = inputs_of(items, ["0", "1", "2"])
    text, audio = found["text"], found["audio"]
    assert isinstance(text, TextConfig)
    assert isinstance(audio, AudioConfig)
    assert (text.words, text.length) == (("!", "a", "disc", "red", "square", "the"), 4)
    waves = [Talking().load(i).inputs["audio"] for i in ("0", "2")]
    heard = torch.cat([Spectrogram(8000)(torch.from_numpy(wave)[None]).flatten() for wave in waves]).double()
    assert audio.mean == pytest.approx(heard.mean().item(), abs=1e-6)
    assert audio.std == pytest.approx(heard.std(correction=0).item(), abs=1e-6)
    assert label_counts(items, ["0", "1", "2"]).tolist() == [3, 0]
