"""Models as people have them: damaged, quantised, with adapters and with templates that fail. Each is one
message.
"""

import json
import shutil
import sys
from types import ModuleType

import pytest

from selfincorrect.config.check.experiment import check
from selfincorrect.engines.manifest import ModelSettings, Running
from selfincorrect.engines.prompt import Prompt
from selfincorrect.engines.requests import Decoding, Request
from selfincorrect.engines.transformers.engine import TransformersEngine
from selfincorrect.errors import UserError
from selfincorrect.models.prepare import prepare_model
from tests.support.tiny import save

SETTINGS = {
    "revision": None, "prompt": "chat", "engine": "transformers", "dtype": "float32", "context": None,
    "trust_remote_code": False,
}  # fmt: skip
RUN = Running("cpu", 1, 2, "plain")


@pytest.fixture(scope="module")
def tiny(tmp_path_factory):
    return save("llama", tmp_path_factory.mktemp("llama"))


@pytest.fixture
def weights(tiny, tmp_path):
    return shutil.copytree(tiny, tmp_path / "weights")


def made(weights, folder, **more):
    manifest = prepare_model(
        "mine", ModelSettings(**{**SETTINGS, "source": str(weights), **more}), folder / "prepared"
    )
    return TransformersEngine(manifest, folder / "prepared" / "weights", RUN)


def test_damaged_weights_are_one_message(weights, tmp_path):
    file = next(weights.glob("*.safetensors"))
    file.write_bytes(file.read_bytes()[:-100])
    with pytest.raises(UserError, match=r"mine: a file of weights in .* is damaged or cut off"):
        made(weights, tmp_path)


@pytest.mark.parametrize("method", ["awq", "gptq", "bitsandbytes"])
def test_quantised_weights_name_what_is_missing(weights, tmp_path, method):
    config = json.loads((weights / "config.json").read_text())
    config["quantization_config"] = {
        "quant_method": method,
        "bits": 4,
        "group_size": 32,
        "load_in_4bit": method == "bitsandbytes",
    }
    (weights / "config.json").write_text(json.dumps(config))
    with pytest.raises(
        UserError,
        match=rf"mine: its weights are quantised \({method}\), and cannot be loaded here: .*\n.*server",
    ):
        made(weights, tmp_path)


@pytest.mark.parametrize(
    ("template", "words"),
    [
        ("{{ messages }}\n{% for %}", "line 2"),
        ("line one\n\n{{ raise_exception('roles must alternate') }}", "roles must alternate"),
        ("{{ messages[99]['content'] }}", "fails at line 1"),
        ("{{ 1 / 0 }}", "fails"),
    ],
)
def test_templates_that_fail_are_named_with_their_line(weights, tmp_path, template, words):
    for name in ("chat_template.jinja", "tokenizer_config.json"):
        path = weights / name
        if name.endswith("jinja"):
            path.write_text(template)
        elif path.exists():
            settings = json.loads(path.read_text())
            settings.pop("chat_template", None)
            path.write_text(json.dumps(settings))
    request = Request(Prompt("", (), "Hi"), Decoding(1, 0.0, 1.0, ()), None)
    with pytest.raises(UserError, match=r"mine: its chat template fails.*\n.*prompt: completion") as caught:
        list(made(weights, tmp_path).answer([request]))
    assert words in str(caught.value)


@pytest.mark.parametrize("limit", [-5, 0, "many"])
def test_a_limit_that_is_none_is_one_message(weights, tmp_path, limit):
    config = json.loads((weights / "config.json").read_text())
    (weights / "config.json").write_text(json.dumps({**config, "max_position_embeddings": limit}))
    with pytest.raises(UserError, match=r"mine: .*(max_position_embeddings|cannot be used)"):
        made(weights, tmp_path)


def test_a_configuration_without_end_is_one_message(weights, tmp_path):
    (weights / "config.json").write_text("[" * 100_000)
    with pytest.raises(UserError, match="cannot be used"):
        made(weights, tmp_path)


def test_an_adapter_needs_peft_and_is_part_of_what_the_model_is(weights, tmp_path, monkeypatch):
    adapter = tmp_path / "adapter"
    adapter.mkdir()
    (adapter / "adapter_config.json").write_text("{}")
    monkeypatch.setitem(sys.modules, "peft", None)
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(UserError, match=r"`adapter` needs the package peft.*\n?.*merge"):
        made(weights, tmp_path, adapter=str(adapter))
    monkeypatch.setattr("importlib.util.find_spec", lambda name: object())
    settings = {**SETTINGS, "source": str(weights)}
    plain = prepare_model("mine", ModelSettings(**settings), tmp_path / "one")
    one = prepare_model("mine", ModelSettings(**settings, adapter=str(adapter)), tmp_path / "two")
    (adapter / "adapter_config.json").write_text('{"r": 8}')
    other = prepare_model("mine", ModelSettings(**settings, adapter=str(adapter)), tmp_path / "three")
    assert len({plain.digest, one.digest, other.digest}) == 3
    peft = ModuleType("peft")
    peft.PeftModel = type(
        "PeftModel", (), {"from_pretrained": staticmethod(lambda model, folder: _Merging(model, folder))}
    )
    monkeypatch.setitem(sys.modules, "peft", peft)
    TransformersEngine(one, tmp_path / "two" / "weights", RUN)
    assert _Merging.folders == [tmp_path / "two" / "adapter"]


class _Merging:
    folders: list = []  # noqa: RUF012

    def __init__(self, model, folder):
        self.model = model
        self.folders.append(folder)

    def merge_and_unload(self):
        return self.model


def config(**model):
    return {"models": {"m": {"prompt": "chat", **model}}, "tasks": {"capitals": {"limit": 1}}}


def test_files_of_models_are_looked_for_before_any_job(weights, tmp_path):
    (tmp_path / "mine.gguf").write_bytes(b"GGUF")
    check(config(source=str(tmp_path / "mine.gguf")))
    adapter = tmp_path / "adapter"
    adapter.mkdir()
    (adapter / "adapter_config.json").write_text("{}")
    check(config(source=str(weights), adapter=str(adapter)))
    with pytest.raises(UserError, match="a GGUF file, or a folder"):
        check(config(source=str(tmp_path / "none.gguf")))
    with pytest.raises(UserError, match="the adapter itself under `adapter`"):
        check(config(source=str(adapter)))
    with pytest.raises(UserError, match=r"a folder with adapter_config\.json"):
        check(config(source=str(weights), adapter=str(weights)))
