"""Which Auto class, which processor and which wrapper a model of transformers takes for a suite's task."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from mmbench.adapters.hub import boxes, maps, scores, texts
from mmbench.adapters.hub.wrapped import Wrapped
from mmbench.core.errors import LoadError
from mmbench.core.model import ModelRequest

# Models of an encoder and a decoder that were trained apart come with an image processor and a tokenizer.
_PAIR = "AutoImageProcessor and AutoTokenizer"
Loader = Callable[[str, str | None], Any]
Wrapper = Callable[[Any, Any, ModelRequest, bool], Wrapped]


@dataclass(frozen=True, slots=True)
class Choice:
    """``model_class`` has ``from_pretrained``; ``processor`` loads what belongs to it."""

    model_class: Any
    processor: Loader
    wrapper: Wrapper


@dataclass(frozen=True, slots=True)
class Pair:
    """An image processor and a tokenizer in the place of one processor."""

    images: Any
    tokens: Any

    def __call__(self, **inputs: Any) -> Any:
        """What the image processor makes of ``images``."""
        return self.images(**inputs)

    def batch_decode(self, written: Any, **options: Any) -> Any:
        """Token ids as texts."""
        return self.tokens.batch_decode(written, **options)


def choose(name: str, revision: str | None, request: ModelRequest) -> Choice:
    """By the model's configuration and the suite's task; raises LoadError when the two do not go together."""
    import transformers

    config = transformers.AutoConfig.from_pretrained(
        name, revision=revision, trust_remote_code=request.options.allow_code
    )
    for auto, processor, wrapper in _candidates(request):
        model_class = _class_for(transformers, auto, config)
        if model_class is not None:
            return _refined(Choice(model_class, _loader(transformers, processor), wrapper), config)
    raise LoadError(
        f"hf:{name} is a {config.model_type} model, which transformers does not offer for {request.spec.task}; choose "
        "another suite, or wrap it with --arch."
    )


def _candidates(request: ModelRequest) -> Iterable[tuple[str, str, type[Wrapped]]]:
    """Auto class (or class), Auto processor and wrapper, in the order in which they are tried."""
    return {
        "segmentation": (
            ("AutoModelForSemanticSegmentation", "AutoImageProcessor", maps.Semantic),
            ("AutoModelForUniversalSegmentation", "AutoImageProcessor", maps.Universal),
            ("CLIPSegForImageSegmentation", "AutoProcessor", maps.Prompted),
        ),
        "referring-segmentation": (("CLIPSegForImageSegmentation", "AutoProcessor", maps.Prompted),),
        "captioning": (
            ("VisionEncoderDecoderModel", _PAIR, texts.Captioner),
            ("AutoModelForImageTextToText", "AutoProcessor", texts.Captioner),
        ),
        "vqa": (
            ("AutoModelForVisualQuestionAnswering", "AutoProcessor", texts.Answerer),
            ("AutoModelForImageTextToText", "AutoProcessor", texts.Answerer),
        ),
        "detection": (
            ("AutoModelForObjectDetection", "AutoImageProcessor", boxes.Detector),
            ("AutoModelForZeroShotObjectDetection", "AutoProcessor", boxes.Grounded),
        ),
        "classification": (
            ("AutoModelForImageClassification", "AutoImageProcessor", scores.ImageClassifier),
            ("AutoModelForAudioClassification", "AutoFeatureExtractor", scores.AudioClassifier),
            ("AutoModelForSequenceClassification", "AutoTokenizer", scores.TextClassifier),
        ),
    }.get(request.spec.task, ())


def _class_for(transformers: Any, auto: str, config: Any) -> Any:
    found = getattr(transformers, auto)
    if auto.startswith("Auto"):
        return found if type(config) in found._model_mapping else None
    return found if isinstance(config, found.config_class) else None


def _refined(choice: Choice, config: Any) -> Choice:
    """Question answering over a list of answers, and chat models, take other wrappers."""
    if choice.wrapper is texts.Answerer and config.model_type == "vilt":
        return Choice(choice.model_class, choice.processor, scores.AnswerClassifier)
    if choice.wrapper in (texts.Captioner, texts.Answerer):
        return Choice(choice.model_class, choice.processor, _written(choice.wrapper))
    return choice


def _written(otherwise: type[Wrapped]) -> Wrapper:
    """The chat wrapper when the processor has a chat template, which is known once it is loaded."""

    def build(model: Any, processor: Any, request: ModelRequest, spread: bool) -> Wrapped:
        kind = texts.Chat if getattr(processor, "chat_template", None) else otherwise
        return kind(model, processor, request, spread)

    return build


def _loader(transformers: Any, name: str) -> Loader:
    def load(place: str, revision: str | None) -> Any:
        options = {"revision": revision} if revision else {}
        parts = [
            getattr(transformers, part).from_pretrained(place, trust_remote_code=False, **options)
            for part in name.split(" and ")
        ]
        return parts[0] if len(parts) == 1 else Pair(*parts)

    return load
