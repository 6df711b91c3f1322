"""Masked-diffusion models, by a tiny one with the interface of LLaDA and Dream."""

import json
import shutil

import pytest
import torch
from safetensors.torch import save_file

from selfincorrect.engines.manifest import ModelSettings, Running
from selfincorrect.engines.requests import SCORED, Request
from selfincorrect.engines.transformers.engine import TransformersEngine
from selfincorrect.errors import UserError
from selfincorrect.models.prepare import prepare_model
from tests.conftest import ROOT
from tests.support.remote.modeling_masked import MaskedConfig, MaskedModel
from tests.support.tiny import answers, requests, tokenizer

MASK = 399
CODE = ROOT / "tests/support/remote/modeling_masked.py"


def saved(folder, kind):
    """A folder with weights, a tokenizer and the code of the model, as the hub has them."""
    folder.mkdir()
    torch.manual_seed(0)
    model = MaskedModel(MaskedConfig())
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.mul_(2)
    save_file(
        {name: each.contiguous() for name, each in model.state_dict().items()}, folder / "model.safetensors"
    )
    shutil.copy(CODE, folder / CODE.name)
    auto = {"AutoConfig": "modeling_masked.MaskedConfig", "AutoModel": "modeling_masked.MaskedModel"}
    config = {"architectures": ["MaskedModel"], "auto_map": auto, "model_type": kind, "vocab_size": 400}
    config |= {"mask_token_id": MASK, "eos_token_id": 1, "max_position_embeddings": 512, "dtype": "float32"}
    (folder / "config.json").write_text(json.dumps(config))
    tokenizer().save_pretrained(folder)
    return folder


@pytest.fixture(scope="module")
def prepared(tmp_path_factory):
    """By kind, the manifest and the folder of a model that was prepared."""
    found = {}
    for kind in ("llada", "dream"):
        place = tmp_path_factory.mktemp(kind)
        source = saved(place / "source", kind)
        settings = ModelSettings(source=str(source), prompt="completion", trust_remote_code=True)
        found[kind] = prepare_model(kind, settings, place / "made"), place / "made"
    return found


def engine(prepared, kind, **running):
    manifest, folder = prepared[kind]
    return TransformersEngine(manifest, folder / "weights", Running("cpu", 1, **running))


def reference(model, prompt, steps, shifted):
    """Greedy low-confidence remasking, written as the paper describes it, one sequence at a time."""
    tokens = [*prompt, *[MASK] * steps]
    for first in range(0, steps, 32):
        block = range(len(prompt) + first, len(prompt) + min(first + 32, steps))
        for _ in block:
            logits = model(input_ids=torch.tensor([tokens])).logits[0]
            if shifted:
                logits = torch.cat([logits[:1], logits[:-1]])
            logits[:, MASK] = -torch.inf
            sure = logits.log_softmax(-1).max(-1)
            place = max(
                (each for each in block if tokens[each] == MASK), key=lambda at: float(sure.values[at])
            )
            tokens[place] = int(sure.indices[place])
    answer = tokens[len(prompt) :]
    return answer[: answer.index(1)] if 1 in answer else answer


@pytest.mark.parametrize("kind", ["llada", "dream"])
def test_greedy_answers_are_those_of_the_papers_procedure(prepared, kind):
    made = engine(prepared, kind)
    assert made.method == "diffusion"
    asked = requests(0.0, count=3, steps=40, stop=())
    for request, response in zip(asked, answers(made, asked), strict=True):
        prompt = made.tokens(request.prompt.text())
        with torch.inference_mode():
            wanted = reference(made.model, prompt, 40, kind == "dream")
        assert response.text == made._text(wanted)
        assert response.logprob is None
        assert response.tokens_in == len(prompt)
        assert response.tokens_out <= 40


def test_samples_depend_on_their_seed_alone(prepared):
    asked = requests(0.7, count=3, samples=3, steps=12)
    together = [each.text for each in answers(engine(prepared, "llada"), asked)]
    alone = [each.text for each in answers(engine(prepared, "llada", batch_size=1), asked)]
    assert together == alone
    assert len(set(together)) > 5
    assert not any("\n\n" in text for text in together)


def test_it_draws_from_the_models_own_distribution(prepared):
    """One place: the first token of many samples is distributed as the softmax at the temperature says."""
    made = engine(prepared, "llada")
    one = requests(0.7, count=1, samples=1, steps=1, stop=())[0]
    many = [Request(one.prompt, one.decoding, seed) for seed in range(4000)]
    found = {}
    for response in answers(made, many):
        found[response.text] = found.get(response.text, 0) + 1
    prompt = made.tokens(one.prompt.text())
    with torch.inference_mode():
        logits = made.model(input_ids=torch.tensor([[*prompt, MASK]])).logits[0, -1]
        logits[MASK] = -torch.inf
        chances = (logits / 0.7).softmax(-1)
    top = int(chances.argmax())
    share = found.get(made._text([top]) if top != 1 else "", 0) / 4000
    assert share == pytest.approx(float(chances[top]), abs=4 * (0.25 / 4000) ** 0.5)


def test_how_probable_given_answers_are_is_not_told(prepared):
    asked = [Request(requests()[0].prompt, SCORED, None, (" a", " b"))]
    with pytest.raises(UserError, match="masked-diffusion"):
        answers(engine(prepared, "llada"), asked)


def test_its_code_is_not_run_unless_it_is_trusted(tmp_path):
    source = saved(tmp_path / "source", "llada")
    (source / CODE.name).write_text(f"open({str(tmp_path / 'ran')!r}, 'w')\n" + CODE.read_text())
    settings = ModelSettings(source=str(source), prompt="completion")
    with pytest.raises(UserError, match="trust_remote_code"):
        prepare_model("m", settings, tmp_path / "made")
    assert not (tmp_path / "ran").exists()
