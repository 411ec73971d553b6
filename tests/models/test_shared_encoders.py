"""Checkpoints on the same frozen encoders keep these once."""

from __future__ import annotations

from pathlib import Path

import pytest

torch = pytest.importorskip("torch")

from mmbench.core.errors import LoadError  # noqa: E402
from mmbench.models.assembled import CONFIG_KEY, load_model  # noqa: E402
from mmbench.models.building import built  # noqa: E402
from mmbench.models.checkpoint import weights_digest  # noqa: E402
from mmbench.models.config import ModelConfig  # noqa: E402
from mmbench.models.shared_encoders import round_to_half, save_sharing  # noqa: E402


@pytest.fixture
def folder(tmp_path: Path, config: ModelConfig) -> Path:
    """Two models of other fusions on the same encoders."""
    first = built(config, 0, "model", torch.device("cpu"))
    round_to_half(first.encoders)
    for name in ("concat", "gmu"):
        model = built(config.model_copy(update={"fusion": name}), 1, name, torch.device("cpu"))
        model.encoders.load_state_dict(first.encoders.state_dict())
        metadata = {CONFIG_KEY: model.config.model_dump(mode="json")}
        save_sharing(tmp_path / name / "weights.safetensors", model, list(model.encoders), metadata)
    return tmp_path


def test_encoders_are_there_once(folder: Path, config: ModelConfig) -> None:
    """One file a modality for both, and the models are whole again."""
    assert len(list(folder.glob("encoders-*.safetensors"))) == len(config.inputs)
    whole = built(config, 0, "model", torch.device("cpu"))
    round_to_half(whole.encoders)
    for name in ("concat", "gmu"):
        model, _ = load_model(folder / name / "weights.safetensors")
        assert weights_digest(model.encoders.state_dict()) == weights_digest(whole.encoders.state_dict())
        size = (folder / name / "weights.safetensors").stat().st_size
        assert size < 4 * sum(p.numel() for p in model.parameters()) / 2


def test_rounding_is_to_the_nearest_half(config: ModelConfig) -> None:
    """Within half a unit in the last place of float16, once and for all; counters and what float16 cannot hold stay."""
    encoders = built(config, 0, "model", torch.device("cpu")).encoders
    next(encoders.parameters()).data.view(-1)[0] = 1e6
    before = {name: value.clone() for name, value in encoders.state_dict().items()}
    round_to_half(encoders)
    rounded = {name: value.clone() for name, value in encoders.state_dict().items()}
    huge = next(name for name, _ in encoders.named_parameters())
    for name, value in before.items():
        torch.testing.assert_close(rounded[name], value, rtol=2**-11, atol=2**-25)
        assert rounded[name].dtype == value.dtype
        assert torch.equal(rounded[name], value) == (name == huge or torch.equal(value, value.half().to(value.dtype)))
    round_to_half(encoders)
    assert all(torch.equal(value, rounded[name]) for name, value in encoders.state_dict().items())


def test_another_encoder_is_refused(folder: Path) -> None:
    """A file whose content is not what its name says was exchanged or damaged."""
    first, second = sorted(folder.glob("encoders-*.safetensors"))
    first.write_bytes(second.read_bytes())
    with pytest.raises(LoadError, match="is not the encoder that"):
        load_model(folder / "concat" / "weights.safetensors")


def test_a_missing_encoder_is_named(folder: Path) -> None:
    gone = min(folder.glob("encoders-*.safetensors"))
    gone.unlink()
    with pytest.raises(LoadError, match=gone.name):
        load_model(folder / "gmu" / "weights.safetensors")


def test_names_cannot_leave_the_folder(tmp_path: Path, config: ModelConfig) -> None:
    from mmbench.models.checkpoint import save_checkpoint

    model = built(config, 0, "model", torch.device("cpu"))
    path = tmp_path / "a" / "weights.safetensors"
    metadata = {CONFIG_KEY: config.model_dump(mode="json"), "shared_encoders": {"rgb": "../../etc/passwd"}}
    save_checkpoint(path, model, metadata)
    with pytest.raises(LoadError, match="expected a file beside its folder"):
        load_model(path)
