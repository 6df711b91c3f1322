"""The transformers engine on tiny models with random weights: causal, sliding window, encoder-decoder,
chat.
"""

import json
from pathlib import Path

import pytest
import torch
from transformers import AttentionInterface

from selfincorrect.engines import thoughts
from selfincorrect.engines.manifest import Manifest, ModelSettings
from selfincorrect.engines.prompt import Prompt
from selfincorrect.engines.requests import CONTEXT, Decoding, Request
from selfincorrect.engines.transformers import (
    attention,
    batching,
    cascade,
    fitting,
    levels,
    products,
    reading,
)
from selfincorrect.engines.transformers.sampling import Sampler
from selfincorrect.errors import UserError
from selfincorrect.models.prepare import prepare_model
from tests.support.tiny import MODELS, SHOTS, answers, requests


@pytest.mark.parametrize("kind", MODELS)
@pytest.mark.parametrize("temperature", [0, 0.7])
def test_answers_do_not_depend_on_batch_or_order(engine, kind, temperature):
    asked = requests(temperature)
    one = answers(engine(kind, batch_size=1), asked)
    many = answers(engine(kind, batch_size=7), asked)
    backwards = answers(engine(kind), asked[::-1])[::-1]
    assert [r.text for r in one] == [r.text for r in many] == [r.text for r in backwards]
    assert [r.logprob for r in one] == pytest.approx([r.logprob for r in many], abs=1e-3)
    assert len({r.text for r in one}) > 2, "the model says the same everywhere: nothing is tested"


@pytest.mark.parametrize("kind", MODELS)
def test_the_number_of_sequences_follows_from_the_memory(engine, kind, monkeypatch):
    free = engine(kind, batch_size=None)
    assert [r.text for r in answers(free, requests())] == [r.text for r in answers(engine(kind), requests())]
    assert batching.sequences_at_once(free.model, 100) == batching.MOST["cpu"]
    monkeypatch.setattr(batching, "_free", lambda kind: 2**20)
    some = [batching.sequences_at_once(free.model, tokens) for tokens in (10, 100, 10**9)]
    assert batching.MOST["cpu"] > some[0] > some[1] > some[2] == 1


@pytest.mark.parametrize("kind", ["llama", "gemma3"])
@pytest.mark.parametrize("temperature", [0, 0.7])
def test_shared_prefix_gives_what_plain_generate_gives(engine, kind, temperature):
    asked = requests(temperature, steps=40)  # far beyond the sliding window of 16
    asked += requests(temperature, steps=40, shots=SHOTS[:1])
    shared = engine(kind)
    assert shared.method == "cascade"
    plain = engine(kind, decoding="plain")
    assert [r.text for r in answers(shared, asked)] == [r.text for r in answers(plain, asked)]


@pytest.mark.parametrize("kind", ["llama", "gemma3"])
@pytest.mark.parametrize(("temperature", "top_p", "size"), [(0, 1.0, 2), (0.7, 1.0, 3), (0.7, 0.8, 64)])
def test_continuous_batching_gives_what_plain_generate_gives(engine, kind, temperature, top_p, size):
    free = requests(temperature, samples=3, steps=40, top_p=top_p, stop=())[
        1:
    ]  # one prompt with fewer samples
    plain = engine(kind, decoding="plain")
    stop = answers(plain, free[:1])[0].text[20:22]
    asked = free + requests(temperature, samples=3, steps=40, top_p=top_p, stop=(stop,))
    continuous = engine(kind, decoding="continuous", batch_size=size)
    assert continuous.method == "continuous"
    found, expected = answers(continuous, asked), answers(plain, asked)
    assert [r.text for r in found] == [r.text for r in expected]
    assert [(r.finish_reason, r.tokens_out) for r in found] == [
        (r.finish_reason, r.tokens_out) for r in expected
    ]
    assert [r.logprob for r in found] == pytest.approx([r.logprob for r in expected], abs=1e-3)
    assert {"stop", "length"} <= {r.finish_reason for r in found}


@pytest.mark.parametrize("kind", MODELS)
def test_greedy_is_plain_generate(engine, kind):
    made = engine(kind)
    for request, response in zip(requests(0), answers(made, requests(0)), strict=True):
        tokens = torch.tensor([made.tokens(made.render(request.prompt))])
        output = made.model.generate(tokens, do_sample=False, max_new_tokens=12, pad_token_id=0)[0]
        new = output[1:] if kind == "t5" else output[tokens.shape[1] :]
        text = made.tokenizer.decode(new, skip_special_tokens=True)
        assert response.text == text.split("\n\n")[0]


def test_models_that_cannot_share_are_read_whole(engine, caplog):
    caplog.set_level("INFO", "selfincorrect")
    for kind, words in (("t5", "encoder-decoder"), ("gemma2", "its attention (eager)")):
        assert engine(kind).method == "plain"
        assert words in caplog.text


def test_a_trial_finds_attention_that_does_more(engine, monkeypatch):
    made = engine("llama")
    made.model.set_attn_implementation("sdpa")
    attend = attention._attention

    def biased(*arguments, **named):
        result, nothing = attend(*arguments, **named)
        return (result if named.get("cascade") is None else result * 1.2), nothing

    AttentionInterface.register(attention.NAME, biased)
    layer = made.model.model.layers[0].mlp.down_proj
    before = layer.weight.to_dense()
    try:
        assert "a trial differs from its own attention" in fitting.fitted(made.model)
        assert made.model.config._attn_implementation == "sdpa", "left as it was"
        assert torch.equal(layer.weight, before)
    finally:
        AttentionInterface.register(attention.NAME, attend)
    assert fitting.fitted(made.model) is None


@pytest.mark.parametrize("kind", ["llama", "gemma3"])
@pytest.mark.parametrize("shared", [0, 1, 9, 40])
@pytest.mark.parametrize("read", [1, 8, 512])
def test_cascade_gives_the_logits_of_ordinary_attention(engine, monkeypatch, kind, shared, read):
    monkeypatch.setitem(cascade.READ, "cpu", read)  # tokens read at a time: one prompt, some, all
    monkeypatch.setattr(cascade, "GROW", 1)
    model = engine(kind).model
    draw = torch.Generator().manual_seed(shared)
    lengths = (shared, max(0, shared - 7), 1, 4, 23, 30)
    start, other, *own, late = (torch.randint(5, 399, (n,), generator=draw).tolist() for n in lengths)
    steps = torch.randint(5, 399, (4, 3), generator=draw)  # four sequences, two of them of the last prompt
    rows = [0, 1, 2, 2]
    with torch.inference_mode():
        # Two beginnings; the prompts 0 and 1 have the first one, 2 and `late` the second.
        together = cascade.Cascade(model, cascade.read_beginnings(model, [start, other]))
        begin = {0: start, 1: start, 2: other, 3: other}
        continued = [cascade.Continuation(int(i > 1), each) for i, each in enumerate([*own, late])]
        found = [torch.cat(list(together.enter(continued[:3], [1, 1, 2])))[rows]]
        found += [together.forward(steps[:, 0])]
        kept = [0, 2, 3]
        together.keep(kept)
        (entered,) = together.enter(
            continued[3:], [2]
        )  # in the place of the one that left: 0, 2, 3, and two new ones
        found += [together.forward(torch.cat([steps[kept, 1], steps[:2, 0]]))]
        for row, prompt in enumerate(rows):
            before = begin[prompt] + own[prompt]
            whole, at = model(torch.tensor([before + steps[row].tolist()])).logits[0], len(before) - 1
            assert torch.allclose(found[0][row], whole[at], atol=1e-4)
            assert torch.allclose(found[1][row], whole[at + 1], atol=1e-4)
            if row in kept:
                assert torch.allclose(found[2][kept.index(row)], whole[at + 2], atol=1e-4)
        for row in (0, 1):
            whole = model(torch.tensor([other + late + steps[row].tolist()])).logits[0]
            assert torch.allclose(entered[0], whole[len(other + late) - 1], atol=1e-4)
            assert torch.allclose(found[2][3 + row], whole[len(other + late)], atol=1e-4)


@pytest.mark.parametrize("window", [None, 4])
def test_reading_in_16_bits_is_reading_in_32_up_to_their_precision(window):
    draw = torch.Generator().manual_seed(3)

    def states(heads, *shape):
        return torch.randn(heads, *shape, 16, generator=draw)

    start, pair = torch.zeros(2, dtype=torch.long), (states(2, 2, 6), states(2, 2, 6))
    row = states(4, 8)[None], states(2, 8)[None], states(2, 8)[None]  # two prompts, of 3 and 5 tokens
    results = []
    for dtype in (torch.float32, torch.bfloat16):
        beginnings = levels.Level(start, torch.tensor([6, 2]), [(pair[0].to(dtype), pair[1].to(dtype))])
        how = reading.Reading([2, 6], [3, 5], beginnings, [1, 0])
        results.append(how.attend(0, *(each.to(dtype) for each in row), 0.25, window).float())
    assert results[0].shape == (1, 8, 4, 16)
    assert torch.allclose(*results, atol=0.03)
    assert not torch.allclose(results[0], results[0].roll(1, 1), atol=0.3), "all alike: nothing is tested"


@pytest.mark.parametrize(("dtype", "tolerance"), [(torch.float32, 1e-5), (torch.bfloat16, 3e-2)])
@pytest.mark.parametrize("bias", [True, False])
@pytest.mark.parametrize("tied", [True, False])
def test_products_by_onednn_are_the_same_products(dtype, tolerance, bias, tied):
    embedding, layer = torch.nn.Embedding(9000, 24).to(dtype), torch.nn.Linear(24, 9000, bias).to(dtype)
    if tied:
        layer.weight = embedding.weight
    model, weight = torch.nn.Sequential(embedding, layer), layer.weight
    model.device = torch.device("cpu")
    tokens = torch.randint(9000, (2, 3))
    with torch.no_grad():
        expected = model(tokens)
        products.sort_weights(model)
        if not products._offered(dtype):
            assert type(layer) is torch.nn.Linear
            pytest.skip(f"oneDNN has no sorted products in {dtype} on this CPU")
        assert type(layer) is (products._Parts if tied else products._Sorted)
        assert torch.allclose(model(tokens), expected, atol=tolerance)
        products.restore_weights(model)
    assert type(layer) is torch.nn.Linear
    assert (layer.weight is weight) if tied else torch.equal(layer.weight, weight)


def test_chat_prompts_go_through_the_template(engine):
    made = engine("llama", mode="chat")
    response = answers(made, requests(count=1, samples=1))[0]
    assert response.prompt.startswith(
        "<|im_start|>system\nBe helpful.<|im_end|>\n<|im_start|>user\nAnswer.\n\nQuestion: capital of X?"
    )
    assert response.prompt.endswith("Answer:<|im_end|>\n<|im_start|>assistant\n")
    assert response.prompt.count("<|im_start|>assistant\n") == 3
    start = made.tokenizer.convert_tokens_to_ids("<|im_start|>")
    assert made.tokens(response.prompt).count(start) == 7, "special tokens are one token each"


def test_templates_that_tell_the_date_tell_the_same_every_day(engine):
    made = engine("llama", mode="chat")
    made.tokenizer.chat_template = "{{ strftime_now('%d %b %Y') }}: {{ messages[0]['content'] }}"
    assert made.render(Prompt("Do it.", (), "Now?")) == "26 Jul 2024: Do it.\n\nNow?"


def test_chat_without_a_template_is_refused(engine):
    template = Path(engine("llama").model.config._name_or_path) / "chat_template.jinja"
    kept = template.read_text()
    template.unlink()
    try:
        with pytest.raises(UserError, match="no chat template"):
            engine("llama", mode="chat")
    finally:
        template.write_text(kept)


def test_prompt_over_the_context_is_counted_and_not_sent(engine):
    made = engine("llama", context=70)
    asked = requests(count=6, samples=1)
    responses = answers(made, asked)
    lengths = [len(made.tokens(made.render(request.prompt))) for request in asked]
    for length, response in zip(lengths, responses, strict=True):
        assert (response.finish_reason == CONTEXT) == (length + 12 > 70)
        assert (response.text is None) == (response.finish_reason == CONTEXT)
        assert response.tokens_in == length
    assert 0 < sum(r.finish_reason == CONTEXT for r in responses) < 6


def test_answers_end_at_a_stop_string(engine):
    made = engine("llama")
    free = answers(made, requests(steps=30, stop=()))
    letter = next(c for c in "eaitn o" if sum(c in r.text[1:] for r in free) > 3)
    for before, after in zip(free, answers(made, requests(steps=30, stop=(letter,))), strict=True):
        assert after.text == before.text.split(letter)[0], (letter, before, after)
        if letter in before.text:
            assert after.finish_reason == "stop"
            assert after.tokens_out <= before.tokens_out


def test_sampler_draws_from_the_softmax():
    logits = torch.tensor([2.0, 0.0, 1.0, -1.0, -30.0]).repeat(20_000, 1)
    sampler = Sampler(list(range(20_000)), 1, 0.7, 1.0)
    tokens, logprobs = sampler(logits.clone(), range(20_000), [0] * 20_000)
    shares = torch.bincount(tokens, minlength=5) / 20_000
    assert shares.tolist() == pytest.approx(torch.softmax(logits[0] / 0.7, 0).tolist(), abs=0.012)
    assert logprobs[tokens == 2][0].item() == pytest.approx(torch.log_softmax(logits[0], 0)[2].item())


def test_sampler_over_many_blocks_and_the_nucleus():
    torch.manual_seed(1)
    logits = torch.randn(1, 5000).repeat(4000, 1)
    tokens, _ = Sampler(list(range(4000)), 1, 1.0, 1.0)(logits.clone(), range(4000), [0] * 4000)
    assert tokens.min() >= 0
    assert tokens.max() < 5000
    expected = torch.softmax(logits[0], 0)[:1024].sum().item()
    assert (tokens < 1024).float().mean().item() == pytest.approx(expected, abs=0.03)
    nucleus, _ = Sampler(list(range(4000)), 1, 1.0, 0.3)(logits.clone(), range(4000), [0] * 4000)
    ordered, places = torch.softmax(logits[0], 0).sort(descending=True)
    kept = set(places[(ordered.cumsum(0) - ordered) < 0.3].tolist())
    assert set(nucleus.tolist()) <= kept
    assert len(set(nucleus.tolist())) > 50


def test_manifest_tells_what_was_prepared(engine, tmp_path):
    made = engine("gemma3")
    settings = ModelSettings(source=made.model.config._name_or_path, prompt="chat", context=64)
    manifest = prepare_model("m", settings, tmp_path)
    assert manifest.context == 64
    assert not manifest.encoder_decoder
    other = settings.model_copy(update={"prompt": "completion", "dtype": "bfloat16"})
    again = prepare_model("other", other, tmp_path / "b")
    assert again.revision == manifest.revision
    assert again.digest != manifest.digest
    assert Manifest(**json.loads(json.dumps(manifest.told()))) == manifest


def test_a_source_of_another_kind_replaces_what_was_there(engine, tmp_path):
    made = engine("llama")
    settings = ModelSettings(source=made.model.config._name_or_path, prompt="chat")
    (tmp_path / "weights" / "inside").mkdir(parents=True)
    prepare_model("m", settings, tmp_path)
    assert (tmp_path / "weights").is_symlink()
    prepare_model("m", settings, tmp_path)
    assert (tmp_path / "weights" / "config.json").exists()


@pytest.mark.parametrize("way", ["cascade", "plain"])
@pytest.mark.parametrize(
    ("said", "text"),
    [
        ("<think>\nhm\n</think>\n\nParis\nRome", "<think>\nhm\n</think>\n\nParis"),
        ("Paris\n<think>", "Paris"),
        ("\nParis", ""),
        ("<think>\nhm\n", "<think>\nhm\n"),
    ],
)
def test_stop_strings_end_an_answer_after_its_thought(engine, monkeypatch, way, said, text):
    made = engine("llama", decoding=way)
    script = made.tokens(said)

    class Scripted:
        """Chooses the tokens of the script, whatever the model says."""

        def __init__(self, seeds, steps, temperature, top_p):
            pass

        def __call__(self, logits, sequences, steps):
            return torch.tensor([script[min(step, len(script) - 1)] for step in steps]), torch.full(
                (len(steps),), -1.0
            )

    monkeypatch.setattr("selfincorrect.engines.transformers.engine.Sampler", Scripted)
    request = Request(Prompt("", (), "Q:"), Decoding(len(script), 0.0, 1.0, ("\n",)), None)
    [response] = answers(made, [request])
    assert response.text == text
    assert response.finish_reason == ("stop" if text != said else "length")
    assert response.logprob == -float(len(made.tokens(text))), "the stop string is no part of the answer"


def test_tags_of_thoughts_that_are_special_tokens_stay_in_the_text(engine):
    made = engine("llama")
    made.tokenizer.add_special_tokens({"additional_special_tokens": ["[THINK]", "[/THINK]"]})
    special = zip(made.tokenizer.all_special_ids, made.tokenizer.all_special_tokens, strict=True)
    made.tags = frozenset(token for token, text in special if thoughts.is_tag(text))
    tokens = made.tokens("[THINK]20?[/THINK]18</s><|im_end|>")
    assert thoughts.answer(made._text(tokens)) == "18"
