"""Captioners of a few thousand random numbers, as folders that transformers itself wrote."""

from pathlib import Path

import torch
from tokenizers import Tokenizer, models, pre_tokenizers
from transformers import (
    CLIPVisionConfig,
    Florence2Config,
    Florence2ForConditionalGeneration,
    LlamaConfig,
    LlavaConfig,
    LlavaForConditionalGeneration,
)

WORDS = (
    "The",
    "image",
    "features",
    "a",
    "harbour",
    "with",
    "boats",
    "and",
    "grey",
    "stone",
    "houses",
    "under",
    "clouds",
)
SPECIAL = ("<s>", "<pad>", "</s>", "<unk>", "<image>")
IMAGE = SPECIAL.index("<image>")
TOKENS = dict(bos_token_id=0, pad_token_id=1, eos_token_id=2)


def write_florence(folder: Path) -> Path:
    torch.manual_seed(5)
    text = dict(
        TOKENS, vocab_size=len(SPECIAL) + len(WORDS), d_model=16, encoder_layers=1, decoder_layers=1,
        encoder_attention_heads=2, decoder_attention_heads=2, encoder_ffn_dim=16, decoder_ffn_dim=16,
        max_position_embeddings=700, decoder_start_token_id=2, model_type="bart",
    )  # fmt: skip
    vision = dict(
        embed_dim=[4, 4, 8, 8], num_heads=[1, 1, 2, 2], num_groups=[1, 1, 2, 2], depths=[1, 1, 1, 1], projection_dim=16,
        window_size=12,
    )  # fmt: skip
    config = Florence2Config(text_config=text, vision_config=vision, image_token_id=IMAGE)
    return _written(Florence2ForConditionalGeneration(config), folder)


def write_llava(folder: Path) -> Path:
    torch.manual_seed(6)
    text = LlamaConfig(
        **TOKENS, vocab_size=len(SPECIAL) + len(WORDS), hidden_size=16, intermediate_size=16, num_hidden_layers=1,
        num_attention_heads=2, num_key_value_heads=2, head_dim=8, max_position_embeddings=1024,
    )  # fmt: skip
    vision = CLIPVisionConfig(
        hidden_size=8, intermediate_size=8, num_hidden_layers=2, num_attention_heads=2, image_size=28, patch_size=14,
        projection_dim=8,
    )  # fmt: skip
    config = LlavaConfig(text_config=text, vision_config=vision, image_token_index=IMAGE, image_seq_length=4)
    return _written(LlavaForConditionalGeneration(config), folder)


def _written(network: torch.nn.Module, folder: Path) -> Path:
    network.save_pretrained(folder)
    vocabulary = {word: i for i, word in enumerate((*SPECIAL, *WORDS))}
    tokenizer = Tokenizer(models.WordLevel(vocabulary, unk_token="<unk>"))
    tokenizer.pre_tokenizer = pre_tokenizers.Whitespace()
    tokenizer.add_special_tokens(list(SPECIAL))
    tokenizer.save(str(folder / "tokenizer.json"))
    return folder
