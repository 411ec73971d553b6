"""``hf:PATH[@revision]``: a folder of transformers, or a repository of the hub."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mmbench.adapters.fill import weights_of
from mmbench.adapters.hub.choice import Choice, choose
from mmbench.adapters.torch_model import Identity, TorchModel
from mmbench.adapters.weights.inert import screen
from mmbench.core.errors import LoadError, MmbenchError
from mmbench.core.model import Model, ModelRequest
from mmbench.core.registry import adapter
from mmbench.models.checkpoint import weights_digest


@dataclass(frozen=True, slots=True)
class Place:
    """A folder or a repository, and the revision of a repository."""

    name: str
    revision: str | None

    @classmethod
    def parse(cls, target: str) -> Place:
        """``openai/clip@abc`` -> (openai/clip, abc); a folder that exists is taken as it is written."""
        if Path(target).exists():
            return cls(target, None)
        name, _, revision = target.partition("@")
        return cls(name, revision or None)


@adapter("hf", needs="torch", example="hf:nvidia/segformer-b0-finetuned-ade-512-512")
def open_hub(request: ModelRequest) -> Model:
    """A model of transformers through its Auto classes and processor: a folder, or NAME[@REVISION] of the hub."""
    place = Place.parse(request.target)
    with _sentence(request.target):
        choice = choose(place.name, place.revision, request)
        model, info = _load(choice, place, request)
        processor = choice.processor(place.name, place.revision)
        left = _unfit(info, request)
        wrapped = choice.wrapper(model.eval(), processor, request, request.options.device_map is not None)
        architecture = {
            "hub": {"revision": getattr(model.config, "_commit_hash", None) or place.revision},
            "class": type(model).__name__,
            "asked": wrapped.settings,
            "left": left,
        }
        identity = Identity(
            weights_digest(weights_of(model)),
            consents=_consents(request, left),
            architecture={key: value for key, value in architecture.items() if value},
        )
        return TorchModel(wrapped, Path(place.name).name, request, identity)


def _load(choice: Choice, place: Place, request: ModelRequest) -> tuple[Any, dict[str, Any]]:
    for file in sorted(Path(place.name).glob("*.bin")) if Path(place.name).is_dir() else ():
        _screened(file)
    options: dict[str, Any] = {"revision": place.revision} if place.revision else {}
    if request.options.device_map is not None:
        options["device_map"] = request.options.device_map
    found: tuple[Any, dict[str, Any]] = choice.model_class.from_pretrained(
        place.name,
        output_loading_info=True,
        trust_remote_code=request.options.allow_code,
        weights_only=True,
        dtype="float32",
        **options,
    )
    return found


def _screened(file: Path) -> None:
    """transformers reads a .bin with ``weights_only``, which a hostile one can crash: it is looked at before."""
    unknown = screen(file).unknown
    if unknown:
        raise LoadError(f"{file} holds more than weights ({sorted(unknown)[0][:60]}); save it as safetensors.")


def _unfit(info: dict[str, Any], request: ModelRequest) -> dict[str, list[str]]:
    """Weights that the files lack would stay random: they fail, unless --partial allows them; the row tells."""
    missing = sorted(map(str, info.get("missing_keys", ())))
    misshaped = sorted(str(one[0] if isinstance(one, tuple) else one) for one in info.get("mismatched_keys", ()))
    if (missing or misshaped) and not request.options.partial:
        raise LoadError(
            f"{request.locator} lacks {len(missing)} weights of the model for {request.spec.task} and has "
            f"{len(misshaped)} of another shape ({', '.join((missing + misshaped)[:3])}); use a model that was trained "
            "for this task, or --partial."
        )
    unexpected = sorted(map(str, info.get("unexpected_keys", ())))
    kinds = {"missing": missing, "misshaped": misshaped, "unexpected": unexpected}
    return {kind: names for kind, names in kinds.items() if names}


def _consents(request: ModelRequest, left: dict[str, list[str]]) -> tuple[str, ...]:
    said = ["code of the repository was allowed (--allow-code)"] if request.options.allow_code else []
    if left.get("missing") or left.get("misshaped"):
        said.append("weights that do not fit were allowed (--partial)")
    return tuple(said)


@contextmanager
def _sentence(target: str) -> Iterator[None]:
    """What transformers raises, as one sentence; it raises anything, from OSError to KeyError."""
    try:
        with _quiet():
            yield
    except MmbenchError:
        raise
    except Exception as error:
        reason = " ".join(str(error).split())[:240].rstrip(".") or type(error).__name__
        raise LoadError(
            f"hf:{target} cannot be opened with transformers ({reason}); check the name or folder."
        ) from error


@contextmanager
def _quiet() -> Iterator[None]:
    """Without the progress bars and advice of transformers, which are made for notebooks."""
    from transformers.utils import logging

    before = logging.get_verbosity()
    bars = logging.is_progress_bar_enabled()
    logging.set_verbosity_error()  # type: ignore[no-untyped-call]
    logging.disable_progress_bar()  # type: ignore[no-untyped-call]
    try:
        yield
    finally:
        logging.set_verbosity(before)
        if bars:
            logging.enable_progress_bar()  # type: ignore[no-untyped-call]
