"""A model's tokenizer, in a form that loads in a third of the time.

`AutoTokenizer` reads a tokenizer's files several times and rebuilds it, four seconds for a vocabulary of
262,144 tokens and in every job. What it ends up with is kept once, when a model is prepared, and compared
with it.
"""

from pathlib import Path
from typing import Any

from transformers import AutoTokenizer, PreTrainedTokenizerFast

from selfincorrect.io import read_json, write_json

# What the comparison encodes and decodes: spaces, line breaks, digits, accents, scripts, emoji.
SAMPLE = "Question: what is  12,5 % of\t$1,000?\n\nAnswer: #### 125\n é ß 你好 مرحبا 🙂 <s> don't . , !"
KEPT = ("chat_template", "clean_up_tokenization_spaces", "model_max_length")


def keep(weights: Path, trust_remote_code: bool, folder: Path) -> None:
    """Write `tokenizer.json` and `tokenizer_settings.json` to `folder`.

    They are kept only if they make the same tokenizer as `weights`.
    """
    files = folder / "tokenizer.json", folder / "tokenizer_settings.json"
    for file in files:
        file.unlink(missing_ok=True)
    whole = AutoTokenizer.from_pretrained(weights, trust_remote_code=trust_remote_code)
    if not isinstance(whole, PreTrainedTokenizerFast):
        return
    whole.backend_tokenizer.save(str(files[0]))
    settings = {**whole.special_tokens_map, **{key: getattr(whole, key) for key in KEPT}}
    write_json(files[1], settings)
    if not _alike(whole, load(weights, trust_remote_code, folder)):
        for file in files:
            file.unlink()


def load(weights: Path, trust_remote_code: bool, folder: Path) -> Any:
    """The tokenizer that was kept in `folder`, else that of `weights`."""
    if (folder / "tokenizer_settings.json").is_file():
        settings = read_json(folder / "tokenizer_settings.json")
        return PreTrainedTokenizerFast(tokenizer_file=str(folder / "tokenizer.json"), **settings)
    return AutoTokenizer.from_pretrained(weights, trust_remote_code=trust_remote_code)


def _alike(one: Any, other: Any) -> bool:
    def shown(tokenizer: Any) -> list[Any]:
        ids = tokenizer(SAMPLE)["input_ids"]
        plain = tokenizer(SAMPLE, add_special_tokens=False)["input_ids"]
        texts = tokenizer.decode(ids, skip_special_tokens=True), tokenizer.decode(ids)
        names = ("bos_token_id", "eos_token_id", "pad_token_id", "chat_template", "special_tokens_map")
        return [ids, plain, len(tokenizer), *texts, *(getattr(tokenizer, name) for name in names)]

    return shown(one) == shown(other)
