"""Captions and answers that a model writes: BLIP, GIT, ViT-GPT2; chat models through their own template."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from PIL import Image

from mmbench.adapters.hub.wrapped import Wrapped, only, pictures

# Greedy decoding: the same text on every run. Longer than a caption or an answer of the usual sets.
DECODING = {"do_sample": False, "num_beams": 1, "max_new_tokens": 32}
CAPTION_PROMPT = "Describe the image in one sentence."
ANSWER_PROMPT = "{question} Answer with one word or a short phrase."


class Captioner(Wrapped):
    """A caption of a picture, without a prompt."""

    def forward(self, **inputs: torch.Tensor) -> list[str]:
        """Images -> captions."""
        (images,) = inputs.values()
        self.settings = {"decoding": DECODING}
        encoded = self.encoded(images=pictures(images))
        return decoded(self, self.model.generate(**encoded, **DECODING))


class Answerer(Wrapped):
    """An answer that is written word by word (BLIP)."""

    def _needed(self) -> Sequence[str]:
        return [only(self.request, "image"), only(self.request, "text")]

    def forward(self, **inputs: Any) -> list[str]:
        """Images and questions -> answers."""
        images, questions = (inputs[m] for m in self.modalities)
        self.settings = {"decoding": DECODING}
        encoded = self.encoded(images=pictures(images), text=list(questions), padding=True)
        return decoded(self, self.model.generate(**encoded, **DECODING))


class Chat(Wrapped):
    """A chat model, asked through the template that it was trained with (LLaVA, Qwen-VL and their like).

    Items go one by one: with padding the answer to one would depend on the others.
    """

    def _needed(self) -> Sequence[str]:
        image = only(self.request, "image")
        self._prompt = self.request.options.prompt or (
            CAPTION_PROMPT if self.request.spec.task == "captioning" else ANSWER_PROMPT
        )
        self.settings = {"prompt": self._prompt, "decoding": DECODING}
        return [image] if self.request.spec.task == "captioning" else [image, only(self.request, "text")]

    def forward(self, **inputs: Any) -> list[str]:
        """Images (and questions) -> what the model says."""
        images = pictures(inputs[self.modalities[0]])
        questions = inputs[self.modalities[1]] if len(self.modalities) > 1 else [""] * len(images)
        return [self._said(image, question) for image, question in zip(images, questions, strict=True)]

    def _said(self, image: Any, question: str) -> str:
        content = [{"type": "image"}, {"type": "text", "text": self._prompt.replace("{question}", question)}]
        text = self.processor.apply_chat_template([{"role": "user", "content": content}], add_generation_prompt=True)
        encoded = self.encoded(images=[Image.fromarray(image)], text=[text])
        written = self.model.generate(**encoded, **DECODING)
        return decoded(self, written[:, encoded["input_ids"].shape[1] :])[0]


def decoded(wrapped: Wrapped, written: torch.Tensor) -> list[str]:
    """Token ids as text, without special tokens and surrounding space."""
    return [text.strip() for text in wrapped.processor.batch_decode(written, skip_special_tokens=True)]
