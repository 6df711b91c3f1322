"""The transformers engine on tiny models with random weights: causal, sliding window, encoder-decoder,
chat.
"""

from dataclasses import replace
from pathlib import Path

import pytest
import torch

from selfincorrect.engines import thoughts
from selfincorrect.engines.prompt import Prompt
from selfincorrect.engines.requests import CONTEXT, SCORED, Decoding, Request
from selfincorrect.engines.transformers import batching
from selfincorrect.engines.transformers.trees import Tree
from selfincorrect.errors import UserError
from tests.support.tiny import FURTHER, MODELS, SHOTS, answers, requests


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


@pytest.mark.parametrize("kind", [*MODELS, *FURTHER])
def test_greedy_is_plain_generate(engine, kind):
    made = engine(kind)
    for request, response in zip(requests(0), answers(made, requests(0)), strict=True):
        tokens = torch.tensor([made.tokens(made.render(request.prompt))])
        output = made.model.generate(tokens, do_sample=False, max_new_tokens=12, pad_token_id=0)[0]
        new = output[1:] if made.model.config.is_encoder_decoder else output[tokens.shape[1] :]
        text = made.tokenizer.decode(new, skip_special_tokens=True)
        assert response.text == text.split("\n\n")[0]


def test_models_that_cannot_share_are_read_whole(engine, caplog):
    caplog.set_level("INFO", "selfincorrect")
    for kind, words in (
        ("t5", "encoder-decoder"),
        ("t5gemma", "encoder-decoder"),
        ("gemma2", "its attention (eager)"),
    ):
        assert engine(kind).method == "plain"
        assert words in caplog.text


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


def test_it_tells_how_many_tokens_were_read_for_each_answer(engine):
    """Of three questions with two samples each: what all begin with once, and each question once."""
    made, asked = engine("llama"), requests(count=3)
    found = answers(made, asked)
    prompts = [made.tokens(made.render(request.prompt)) for request in asked]
    tree = Tree()
    for prompt in prompts:
        tree.add(prompt)
    whole = sum(each.tokens_read for each in found)
    assert [each.tokens_in for each in found] == [len(prompt) for prompt in prompts]
    for request, prompt, each in zip(asked, prompts, found, strict=True):
        assert made.tokenizer.decode(prompt[-each.tokens_query :]).startswith(request.prompt.query)
    # The beginning ends where the query begins, though queries too begin alike.
    assert len(tree) <= whole < sum(map(len, prompts[::2]))
    assert 0 < [each.tokens_read for each in found].count(0) <= 3  # in another batch it is read again
    plain = answers(engine("llama", decoding="plain"), asked)
    assert [each.tokens_read for each in plain] == [len(prompt) for prompt in prompts]


@pytest.mark.parametrize("decoding", ["cascade", "plain"])
def test_it_tells_how_many_tokens_were_read_for_each_option(engine, decoding):
    made, options = engine("llama", decoding=decoding), (" city", " town", " what")
    asked = [replace(each, decoding=SCORED, seed=None, options=options) for each in requests(count=3)[::2]]
    found = answers(made, asked)
    prompts = [made.tokens(made.render(request.prompt)) for request in asked]
    tree = Tree()
    for request in asked:
        for option in request.options:
            tree.add(made.tokens(made.render(request.prompt) + option)[:-1])
    whole = sum(each.tokens_read for each in found)
    assert [each.tokens_query for each in found] == [len(made.tokens(each.prompt.query)) for each in asked]
    assert len(tree) <= whole
    assert (whole < sum(map(len, prompts))) == (decoding == "cascade")
