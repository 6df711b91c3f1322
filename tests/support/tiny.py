"""Tiny models with random weights and a tokenizer of their own, and what they are asked.

They are saved as a user's local folder would be.
"""

from pathlib import Path

import torch
from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers
from transformers import (
    Gemma2Config,
    Gemma2ForCausalLM,
    Gemma3ForCausalLM,
    Gemma3TextConfig,
    LlamaConfig,
    LlamaForCausalLM,
    PreTrainedTokenizerFast,
    Qwen2Config,
    Qwen2ForCausalLM,
    T5Config,
    T5ForConditionalGeneration,
    T5GemmaConfig,
    T5GemmaForConditionalGeneration,
)
from transformers.models.t5gemma.configuration_t5gemma import T5GemmaModuleConfig

from selfincorrect.engines.prompt import Prompt
from selfincorrect.engines.requests import Decoding, Request

# The template of SmolLM2's family (ChatML), with its default system turn.
CHATML = (
    "{% for m in messages %}{% if loop.first and m['role'] != 'system' %}"
    "<|im_start|>system\nBe helpful.<|im_end|>\n{% endif %}"
    "<|im_start|>{{ m['role'] }}\n{{ m['content'] }}<|im_end|>\n{% endfor %}"
    "{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}"
)
SMALL = {"vocab_size": 400, "hidden_size": 32, "intermediate_size": 64, "num_hidden_layers": 3, "head_dim": 8}
SMALL |= {"num_attention_heads": 4, "num_key_value_heads": 2, "max_position_embeddings": 256}
GEMMA = {**SMALL, "sliding_window": 16, "query_pre_attn_scalar": 8}
T5 = {"vocab_size": 400, "d_model": 32, "d_ff": 64, "d_kv": 8, "num_layers": 2, "num_heads": 4}
T5 |= {"decoder_start_token_id": 0, "pad_token_id": 0, "eos_token_id": 1}
LAYERS = ["sliding_attention", "full_attention", "sliding_attention"]


def tokenizer():
    made = Tokenizer(models.BPE())
    made.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    made.decoder = decoders.ByteLevel()
    special = ["<pad>", "</s>", "<|im_start|>", "<|im_end|>"]
    trainer = trainers.BpeTrainer(
        vocab_size=400, special_tokens=special, initial_alphabet=pre_tokenizers.ByteLevel.alphabet()
    )
    made.train_from_iterator(["Question: what is the capital of a country? Answer: a city\n"] * 5, trainer)
    return PreTrainedTokenizerFast(tokenizer_object=made, pad_token="<pad>", eos_token="</s>")


MODELS = {
    "llama": lambda: LlamaForCausalLM(LlamaConfig(**SMALL)),
    "gemma3": lambda: Gemma3ForCausalLM(Gemma3TextConfig(**GEMMA, layer_types=LAYERS)),
    # Its soft caps make its attention one that cannot be shared.
    "gemma2": lambda: Gemma2ForCausalLM(Gemma2Config(**GEMMA, attn_logit_softcapping=2.0)),
    "t5": lambda: T5ForConditionalGeneration(T5Config(**T5)),
}
# Further ones, made as the others are.
FURTHER = {
    "t5gemma": lambda: T5GemmaForConditionalGeneration(
        T5GemmaConfig(
            encoder=T5GemmaModuleConfig(**GEMMA), decoder=T5GemmaModuleConfig(**GEMMA), vocab_size=400
        )
    ),
    "qwen2": lambda: Qwen2ForCausalLM(Qwen2Config(**SMALL)),
}


def save(kind: str, folder: Path) -> Path:
    """Write the tiny model `kind`, one of MODELS or FURTHER, to `folder`: weights, tokenizer, template."""
    torch.manual_seed(0)
    model = {**MODELS, **FURTHER}[kind]()
    with torch.no_grad():  # spread the random logits, so that greedy choices are no ties
        for parameter in model.parameters():
            parameter.mul_(3)
    model.generation_config.eos_token_id = 1
    model.save_pretrained(folder)
    saved = tokenizer()
    saved.chat_template = CHATML
    saved.save_pretrained(folder)
    return folder


SHOTS = (
    ("Question: capital of X?\nAnswer:", "a city"),
    ("Question: capital of Y?\nAnswer:", "what is the country"),
)


def requests(temperature=0.7, count=5, samples=2, steps=12, top_p=1.0, stop=("\n\n",), shots=SHOTS):
    return [
        Request(
            Prompt("Answer.", shots, f"Question: what is {'the capital of ' * i}country {i}?\nAnswer:"),
            Decoding(steps, temperature, top_p, stop),
            seed=None if temperature == 0 else 100 * i + sample,
        )
        for i in range(count)
        for sample in range(samples if temperature else 1)
    ]


def answers(engine, asked):
    found = {id(request): response for batch in engine.answer(asked) for request, response in batch}
    return [found[id(request)] for request in asked]
