"""Tiny models of transformers, made of their configurations and saved as their authors save them: NAME -> folder."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
import transformers as tf
from tokenizers import Tokenizer, models, normalizers, pre_tokenizers, processors

MODELS: dict[str, Callable[[Path], None]] = {}
CLASSES = ("background", "cup", "ball")
LABELS = {"id2label": dict(enumerate(CLASSES)), "label2id": {name: i for i, name in enumerate(CLASSES)}}
WORDS = [*"abcdefgh", *["cup", "ball", "background", "what", "colour", "is", "the", "red", "blue", ":", ".", "?"]]
SPECIAL = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "<image>"]
VOCABULARY = {word: place for place, word in enumerate([*SPECIAL, *WORDS])}
TEXT = {"vocab_size": len(VOCABULARY), "hidden_size": 16, "intermediate_size": 32, "num_hidden_layers": 1}
TEXT |= {"num_attention_heads": 2, "max_position_embeddings": 64, "pad_token_id": 0}
VISION = {"hidden_size": 16, "intermediate_size": 32, "num_hidden_layers": 1, "num_attention_heads": 2}
VISION |= {"image_size": 32, "patch_size": 8}
SIZE = {"height": 32, "width": 32}


def model(make: Callable[[Path], None]) -> Callable[[Path], None]:
    MODELS[make.__name__] = make
    return make


def save(folder: Path, built: Any, *parts: Any) -> None:
    for part in (built, *parts):
        part.save_pretrained(folder)


def tokenizer(kind: Any = None, **options: Any) -> Any:
    made = Tokenizer(models.WordLevel(VOCABULARY, unk_token="[UNK]"))
    made.normalizer = normalizers.Lowercase()
    made.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    made.post_processor = processors.TemplateProcessing(
        single="[CLS] $A [SEP]", pair="[CLS] $A [SEP] $B:1 [SEP]:1", special_tokens=[("[CLS]", 2), ("[SEP]", 3)]
    )
    made.add_special_tokens(SPECIAL)
    names = {"pad": "[PAD]", "unk": "[UNK]", "cls": "[CLS]", "sep": "[SEP]", "mask": "[MASK]"}
    names |= {"bos": "[CLS]", "eos": "[SEP]"}
    tokens = {f"{name}_token": token for name, token in names.items()}
    return (kind or tf.PreTrainedTokenizerFast)(tokenizer_object=made, model_max_length=32, **tokens, **options)


@model
def segformer(folder: Path) -> None:
    config = tf.SegformerConfig(
        num_encoder_blocks=2,
        depths=[1, 1],
        sr_ratios=[1, 1],
        hidden_sizes=[8, 16],
        patch_sizes=[7, 3],
        strides=[4, 2],
        num_attention_heads=[1, 2],
        mlp_ratios=[2, 2],
        decoder_hidden_size=16,
        **LABELS,
    )
    save(folder, tf.SegformerForSemanticSegmentation(config), tf.SegformerImageProcessorPil(size=SIZE))


@model
def upernet(folder: Path) -> None:
    backbone = tf.ConvNextConfig(
        hidden_sizes=[8, 8, 8, 8], depths=[1, 1, 1, 1], out_features=[f"stage{i}" for i in (1, 2, 3, 4)]
    )
    config = tf.UperNetConfig(
        backbone_config=backbone,
        hidden_size=16,
        pool_scales=[1, 2],
        auxiliary_in_channels=8,
        auxiliary_channels=8,
        **LABELS,
    )
    save(folder, tf.UperNetForSemanticSegmentation(config), tf.SegformerImageProcessorPil(size=SIZE))


@model
def mask2former(folder: Path) -> None:
    backbone = tf.SwinConfig(
        image_size=32, patch_size=2, embed_dim=8, depths=[1, 1, 1, 1], num_heads=[1, 1, 1, 1], window_size=2
    )
    backbone.out_features = ["stage1", "stage2", "stage3", "stage4"]
    config = tf.Mask2FormerConfig(
        backbone_config=backbone,
        feature_size=32,  # of its 32 groups
        mask_feature_size=32,
        hidden_dim=32,
        encoder_feedforward_dim=16,
        encoder_layers=1,
        decoder_layers=2,
        num_attention_heads=2,
        dim_feedforward=16,
        num_queries=5,
        **LABELS,
    )
    save(folder, tf.Mask2FormerForUniversalSegmentation(config), tf.Mask2FormerImageProcessorPil(size=SIZE))


@model
def clipseg(folder: Path) -> None:
    text = TEXT | {"max_position_embeddings": 77, "eos_token_id": 3, "bos_token_id": 2}
    config = tf.CLIPSegConfig(
        text_config=text,
        vision_config=VISION | {"num_hidden_layers": 3},
        projection_dim=16,
        extract_layers=[0, 1, 2],
        reduce_dim=8,
        decoder_num_attention_heads=2,
        decoder_intermediate_size=16,
    )
    processor = tf.CLIPSegProcessor(tf.ViTImageProcessorPil(size=SIZE), tokenizer())
    save(folder, tf.CLIPSegForImageSegmentation(config), processor)


def _blip() -> Any:
    text = TEXT | {
        "bos_token_id": 2,
        "sep_token_id": 3,
        "eos_token_id": 3,
        "encoder_hidden_size": 16,
        "is_decoder": True,
    }
    return tf.BlipConfig(text_config=text, vision_config=VISION, projection_dim=16, image_text_hidden_size=16)


def _blip_processor() -> Any:
    return tf.BlipProcessor(tf.BlipImageProcessorPil(size=SIZE), tokenizer())


@model
def blip_caption(folder: Path) -> None:
    save(folder, tf.BlipForConditionalGeneration(_blip()), _blip_processor())


@model
def blip_vqa(folder: Path) -> None:
    save(folder, tf.BlipForQuestionAnswering(_blip()), _blip_processor())


@model
def git(folder: Path) -> None:
    config = tf.GitConfig(vision_config=VISION, bos_token_id=2, eos_token_id=3, **TEXT)
    processor = tf.GitProcessor(tf.CLIPImageProcessorPil(size=SIZE, crop_size=SIZE), tokenizer())
    save(folder, tf.GitForCausalLM(config), processor)


@model
def vit_gpt2(folder: Path) -> None:
    decoder = tf.GPT2Config(
        vocab_size=len(VOCABULARY),
        n_embd=16,
        n_layer=1,
        n_head=2,
        n_positions=64,
        add_cross_attention=True,
        is_decoder=True,
    )
    config = tf.VisionEncoderDecoderConfig.from_encoder_decoder_configs(tf.ViTConfig(**VISION), decoder)
    config.decoder_start_token_id, config.pad_token_id, config.eos_token_id = 2, 0, 3
    save(folder, tf.VisionEncoderDecoderModel(config), tf.ViTImageProcessorPil(size=SIZE), tokenizer())


@model
def vilt(folder: Path) -> None:
    answers = {"id2label": {0: "red", 1: "blue", 2: "green"}, "label2id": {"red": 0, "blue": 1, "green": 2}}
    config = tf.ViltConfig(**TEXT, image_size=32, patch_size=8, **answers)
    processor = tf.ViltProcessor(tf.ViltImageProcessorPil(size={"shortest_edge": 32}), tokenizer(tf.BertTokenizer))
    save(folder, tf.ViltForQuestionAnswering(config), processor)


CHAT = (
    "{% for m in messages %}{{ m.role }} : {% for c in m.content %}{% if c.type == 'image' %}IMAGE"
    "{% else %}{{ c.text }}{% endif %}{% endfor %}{% endfor %}{% if add_generation_prompt %} assistant :{% endif %}"
)


@model
def llava(folder: Path) -> None:
    text = tf.LlamaConfig(**TEXT, bos_token_id=2, eos_token_id=3)
    vision = tf.CLIPVisionConfig(**VISION)
    config = tf.LlavaConfig(
        vision_config=vision, text_config=text, image_token_id=5, vision_feature_layer=-1, image_seq_length=16
    )
    processor = tf.LlavaProcessor(
        tf.CLIPImageProcessorPil(size=SIZE, crop_size=SIZE),
        tokenizer(),
        patch_size=8,
        vision_feature_select_strategy="default",
        num_additional_image_tokens=1,
        chat_template=CHAT.replace("IMAGE", "<image>"),
    )
    save(folder, tf.LlavaForConditionalGeneration(config), processor)


def _detr_backbone() -> Any:
    return tf.ResNetConfig(embedding_size=8, hidden_sizes=[8, 8, 8, 8], depths=[1, 1, 1, 1], out_features=["stage4"])


@model
def detr(folder: Path) -> None:
    config = tf.DetrConfig(
        use_timm_backbone=False,
        backbone=None,
        use_pretrained_backbone=False,
        backbone_config=_detr_backbone(),
        d_model=16,
        encoder_layers=1,
        decoder_layers=1,
        encoder_attention_heads=2,
        decoder_attention_heads=2,
        encoder_ffn_dim=16,
        decoder_ffn_dim=16,
        num_queries=4,
        **LABELS,
    )
    save(
        folder,
        tf.DetrForObjectDetection(config),
        tf.DetrImageProcessorPil(size={"shortest_edge": 32, "longest_edge": 64}),
    )


@model
def vit(folder: Path) -> None:
    save(folder, tf.ViTForImageClassification(tf.ViTConfig(**VISION, **LABELS)), tf.ViTImageProcessorPil(size=SIZE))


@model
def wav2vec2(folder: Path) -> None:
    config = tf.Wav2Vec2Config(
        hidden_size=16,
        num_hidden_layers=1,
        num_attention_heads=2,
        intermediate_size=16,
        conv_dim=[8, 8],
        conv_stride=[5, 4],
        conv_kernel=[10, 8],
        num_conv_pos_embeddings=4,
        num_conv_pos_embedding_groups=2,
        num_feat_extract_layers=2,
        classifier_proj_size=8,
        **LABELS,
    )
    save(folder, tf.Wav2Vec2ForSequenceClassification(config), tf.Wav2Vec2FeatureExtractor())


@model
def bert(folder: Path) -> None:
    save(folder, tf.BertForSequenceClassification(tf.BertConfig(**TEXT, **LABELS)), tokenizer(tf.BertTokenizer))


@model
def bert_without_a_head(folder: Path) -> None:
    save(folder, tf.BertModel(tf.BertConfig(**TEXT, **LABELS)), tokenizer(tf.BertTokenizer))


@model
def grounding_dino(folder: Path) -> None:
    backbone = tf.SwinConfig(
        image_size=32, patch_size=2, embed_dim=8, depths=[1, 1, 1, 1], num_heads=[1, 1, 1, 1], window_size=2
    )
    backbone.out_features = ["stage2", "stage3", "stage4"]
    config = tf.GroundingDinoConfig(
        backbone_config=backbone,
        text_config=tf.BertConfig(**TEXT),
        d_model=32,  # of its 32 groups
        encoder_layers=1,
        decoder_layers=2,
        encoder_attention_heads=2,
        decoder_attention_heads=2,
        encoder_ffn_dim=16,
        decoder_ffn_dim=16,
        num_queries=4,
        max_text_len=32,
    )
    processor = tf.GroundingDinoProcessor(
        tf.GroundingDinoImageProcessorPil(size={"shortest_edge": 32, "longest_edge": 64}), tokenizer(tf.BertTokenizer)
    )
    save(folder, tf.GroundingDinoForObjectDetection(config), processor)


def write(name: str, folder: Path) -> Path:
    torch.manual_seed(0)
    MODELS[name](folder)
    return folder
