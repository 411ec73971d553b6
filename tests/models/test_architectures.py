"""Reference architectures from tiny folders of the same classes as the full ones."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from transformers import BertConfig, BertForMaskedLM, ResNetConfig, ResNetForImageClassification

from mmbench.core.errors import LoadError, UnknownName, UsageError
from mmbench.models.architectures import ARCHITECTURES
from mmbench.models.assembled import load_model
from mmbench.models.backbones import STAGES, PictureBackbone, TextBackbone, Vgg, vgg_stages
from mmbench.models.config import Backbone
from mmbench.models.loop import Progress
from mmbench.models.plan import Plan
from mmbench.models.planning import Choices, plan
from mmbench.models.pretrained import read_pretrained
from mmbench.models.splits import Splits, open_splits
from mmbench.models.subset import Selected
from mmbench.models.training import train
from mmbench.models.vocabulary import PAD, WordPieces

PIECES = ("[PAD]", "[UNK]", "[CLS]", "[SEP]", "the", "red", "disc", "##s", "what", "is")
TINY_BERT = {
    "vocab_size": len(PIECES),
    "hidden_size": 8,
    "num_hidden_layers": 1,
    "num_attention_heads": 2,
    "intermediate_size": 16,
}
TINY_VGG = ((4,), (8, 8))
SUITES = {
    "vgg16_bert_linear": "cls-it",
    "resnet_bert_vqa": "vqa",
    "two_stream_vgg_text": "refseg",
    "cnn_lstm_caption": "caption",
    "self_attention_seg": "seg",
}


@pytest.fixture(scope="session")
def weights(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder as a user has it: transformers' own save of whole models, and a VGG with its classifier."""
    folder = tmp_path_factory.mktemp("pretrained")
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(5)
        bert = BertConfig(**TINY_BERT)
        BertForMaskedLM(bert).save_pretrained(folder / "bert")
        resnet = ResNetConfig(embedding_size=4, hidden_sizes=[4, 8], depths=[1, 1], layer_type="basic")
        ResNetForImageClassification(resnet).save_pretrained(folder / "resnet")
        vgg = Vgg(TINY_VGG).state_dict() | {"classifier.0.weight": torch.zeros(2, 8)}
    (folder / "bert" / "vocab.txt").write_text("\n".join(PIECES) + "\n")
    (folder / "vgg16").mkdir()
    torch.save(vgg, folder / "vgg16" / "vgg16.pth")
    return folder


def silent(_: Progress) -> None:
    """Tells nobody."""


def opened(name: str) -> Splits:
    """A few samples of each split."""
    splits = open_splits(SUITES[name], {"tier": "smoke"}, {})
    few = [Selected(source, source.ids[:count]) for source, count in ((splits.train, 24), (splits.val, 6))]
    return replace(splits, train=few[0], val=few[1])


def planned(name: str, weights: Path | None, output: Path, **more: Any) -> Plan:
    choices = Choices(None, output, arch=name, pretrained=weights, steps=2, batch_size=4, width=8, **more)
    return plan(opened(name), choices)


def test_every_architecture_is_tested_here() -> None:
    assert set(SUITES) == set(ARCHITECTURES)


@pytest.mark.parametrize("name", sorted(SUITES))
def test_trained_saved_and_loaded_it_answers_the_same(name: str, weights: Path, tmp_path: Path, cache: Path) -> None:
    """From the folder's weights, two steps; the checkpoint alone gives the model back, word pieces included."""
    made = planned(name, weights if ARCHITECTURES[name].backbones else None, tmp_path / "my.safetensors")
    splits = opened(name)
    done = train(splits, made, silent)
    assert ("pretrained" in done.metadata["training"]) == bool(ARCHITECTURES[name].backbones)
    model, _ = load_model(tmp_path / "my.safetensors")
    sample = splits.val.load(splits.val.ids[0])
    given = {m: _as_input(value) for m, value in sample.inputs.items()}
    answers = [candidate(**given) for candidate in (done.model, model)]
    if isinstance(answers[0], torch.Tensor):
        assert torch.equal(*answers)
    else:
        assert answers[0] == answers[1]


def _as_input(value: Any) -> Any:
    if isinstance(value, str):
        return [value]
    tensor = torch.from_numpy(value)
    if tensor.ndim == 3:
        return tensor.permute(2, 0, 1)[None] / 255
    return tensor[None] if tensor.ndim == 1 else tensor[None, None]


def test_the_weights_of_the_folder_are_those_of_the_model(weights: Path) -> None:
    """Names of whole models lose their first part; classifiers are left out."""
    for name in ("vgg16", "resnet", "bert"):
        found = read_pretrained(weights, name)  # type: ignore[arg-type]
        table = found.table
        model = TextBackbone(table, 8, 4) if name == "bert" else PictureBackbone(table, 4)
        found.load_into(model.backbone)
        for key, value in model.backbone.state_dict().items():
            assert torch.equal(value, found.weights[key])


def test_stages_of_a_vgg_follow_from_its_names() -> None:
    """The well-known layout has convolutions at 0, 2, 5, 7, 10, 12, 14, 17, 19, 21, 24, 26 and 28."""
    assert [tuple(stage) for stage in vgg_stages(_shapes(Vgg(TINY_VGG)))] == list(TINY_VGG)
    with torch.device("meta"):
        full = Vgg()
    shapes = _shapes(full)
    assert [tuple(stage) for stage in vgg_stages(shapes)] == list(STAGES)
    places = sorted({int(key.split(".")[1]) for key in shapes})
    assert places == [0, 2, 5, 7, 10, 12, 14, 17, 19, 21, 24, 26, 28]
    assert sum(value.numel() for value in full.parameters()) == 14_714_688
    with pytest.raises(LoadError, match=r"have no features\.N\.weight"):
        vgg_stages({"conv.weight": (1, 1, 1, 1)})


def _shapes(module: torch.nn.Module) -> dict[str, tuple[int, ...]]:
    return {key: tuple(value.shape) for key, value in module.state_dict().items()}


def test_word_pieces() -> None:
    """Longest piece first, unknown words one mark, [CLS] and [SEP] around; an empty text is padding alone."""
    numbers = WordPieces(PIECES, 7).encode(["The red discs", "blue", ""])
    assert numbers.tolist() == [[2, 4, 5, 6, 7, 3, PAD], [2, 1, 3, PAD, PAD, PAD, PAD], [PAD] * 7]
    assert WordPieces(PIECES, 4).encode(["the red disc the"]).tolist() == [[2, 4, 5, 3]]


def test_padding_does_not_move_the_words() -> None:
    torch.manual_seed(0)
    model = TextBackbone(Backbone(name="bert", settings=TINY_BERT), 8, 4).eval()
    short, long = model(torch.tensor([[2, 4, 3]])), model(torch.tensor([[2, 4, 3, PAD, PAD], [PAD] * 5]))
    torch.testing.assert_close(long.x[:1, :3], short.x)
    assert long.pad.tolist() == [[False] * 3 + [True] * 2, [True] * 5]
    assert torch.isfinite(long.x).all()


def test_settings_of_the_named_ones(weights: Path, tmp_path: Path) -> None:
    """Linear fusion by SGD at one vector a modality; a fusion that is named wins."""
    made = planned("vgg16_bert_linear", weights, tmp_path / "a.ckpt")
    assert (made.fusion, made.recipe.optimiser, made.bridge, made.encoders) == ("feat_linear", "sgd", "mean", "joint")
    assert (
        plan(opened("two_stream_vgg_text"), Choices("concat", tmp_path / "a", arch="two_stream_vgg_text")).fusion
        == "concat"
    )
    assert ARCHITECTURES["resnet_bert_vqa"].width == 1024


@pytest.mark.parametrize(
    ("choices", "error", "sentence"),
    [
        ({"arch": "vgg_bert"}, UnknownName, "no architecture named 'vgg_bert'; did you mean 'vgg16_bert_linear'"),
        ({"arch": "resnet_bert_vqa"}, UsageError, "is for vqa, and the suite is classification"),
        (
            {"fusion": "sum", "pretrained": Path()},
            UsageError,
            "--pretrained is for an architecture .* give --arch NAME",
        ),
        ({}, UsageError, "Nothing says which model is trained; give --fusion NAME, or --arch NAME"),
        (
            {"arch": "vgg16_bert_linear", "encoders": "frozen"},
            UsageError,
            "--encoders frozen is for encoders of mmbench",
        ),
    ],
)
def test_what_makes_no_sense_is_a_sentence(
    tmp_path: Path, choices: dict[str, Any], error: type[Exception], sentence: str
) -> None:
    with pytest.raises(error, match=sentence):
        plan(opened("vgg16_bert_linear"), Choices(**({"fusion": None, "output": tmp_path / "a.ckpt"} | choices)))


def test_folders_that_lack_something(weights: Path, tmp_path: Path) -> None:
    with pytest.raises(LoadError, match="There are no weights in"):
        read_pretrained(tmp_path, "bert")
    (tmp_path / "vgg16").mkdir()
    (tmp_path / "vgg16" / "a.pth").write_bytes(b"half")
    with pytest.raises(LoadError, match=r"a\.pth cannot be read"):
        read_pretrained(tmp_path, "vgg16")
    found = read_pretrained(weights, "vgg16")
    with pytest.raises(LoadError, match=r"The weights of vgg16 lack 'features\.7\.bias'"):
        found.load_into(Vgg(((4,), (8, 8, 8))))
