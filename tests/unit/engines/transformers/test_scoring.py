"""How probable given texts are: against a plain pass over the tokens of prompt and text together."""

import math
from dataclasses import replace
from itertools import product

import pytest
import torch

from selfincorrect.engines.prompt import Prompt
from selfincorrect.engines.requests import CONTEXT, SCORED, Request
from selfincorrect.engines.transformers.trees import Tree
from tests.support.tiny import FURTHER, MODELS, SHOTS, answers

# Of one token and of several; one begins another; one joins the prompt's last word.
OPTIONS = (" 1", "1", " 10", "(2", " a city", " a city in a country", "s", "\n\nQuestion: what")


def scored(options=OPTIONS, count=4, ended=(), shots=SHOTS):
    queries = [f"Question: what is {'the capital of ' * i}country {i}?\nAnswer: what" for i in range(count)]
    return [Request(Prompt("Answer.", shots, query), SCORED, None, options, ended) for query in queries]


def plain(engine, request, option):
    """(log-probability, number of tokens, self-certainty) by a pass over one whole sequence."""
    model, prompt = engine.model, engine.render(request.prompt)
    first, both = engine.tokens(prompt), engine.tokens(prompt + option)
    if model.config.is_encoder_decoder:
        begins = 0 if model.config.model_type == "t5" else model.generation_config.bos_token_id
        both, start = [begins, *engine.tokenizer(option, add_special_tokens=False)["input_ids"]], 1
        with torch.inference_mode():
            logits = model(torch.tensor([first]), decoder_input_ids=torch.tensor([both])).logits[0]
    else:
        same = [one == other for one, other in zip(first, both, strict=False)]
        start = same.index(False) if False in same else len(first)
        with torch.inference_mode():
            logits = model(torch.tensor([both])).logits[0]
    logprobs = logits.double().log_softmax(-1)
    own = [float(logprobs[place - 1, both[place]]) for place in range(start, len(both))]
    known = logprobs[start - 1 : len(both) - 1, : len(engine.tokenizer)]
    certainty = float(-(known + math.log(known.shape[1])).mean())
    if option in request.ended:
        vocabulary = engine.tokenizer.get_vocab()
        ends = {engine.tokenizer.eos_token_id, *(v for k, v in vocabulary.items() if k.startswith("Ċ"))}
        own.append(math.log(sum(math.exp(float(logprobs[-1, end])) for end in ends)))
    return sum(own), len(both) - start, certainty


@pytest.mark.parametrize(
    ("kind", "mode"), [*product(MODELS, ["completion", "chat"]), *product(FURTHER, ["completion"])]
)
@pytest.mark.parametrize("ended", [(), OPTIONS[:4]])
def test_scores_are_those_of_a_plain_pass(engine, kind, mode, ended):
    made = engine(kind, mode)
    asked = scored(ended=ended) + scored(OPTIONS[:2], 2, ended, SHOTS[:1])
    for request, response in zip(asked, answers(made, asked), strict=True):
        found = zip(response.options, response.option_tokens, response.certainties, strict=True)
        for option, (logprob, tokens, certainty) in zip(request.options, found, strict=True):
            expected = plain(made, request, option)
            assert tokens == expected[1]
            assert (logprob, certainty) == pytest.approx((expected[0], expected[2]), abs=2e-4, rel=1e-5)


@pytest.mark.parametrize("kind", MODELS)
def test_scores_do_not_depend_on_batch_or_order(engine, kind):
    asked = scored()
    one = answers(engine(kind, batch_size=1), asked)
    many = answers(engine(kind, batch_size=None), asked[::-1])[::-1]
    for left, right in zip(one, many, strict=True):
        assert left.options == pytest.approx(right.options, abs=1e-4)
        assert left.option_tokens == right.option_tokens
        assert len(set(left.options)) == len(OPTIONS), "all options are alike: nothing is tested"


def test_a_joined_text_is_scored_from_the_token_that_changes(engine):
    made = engine("llama")
    [request], text = scored((" country",), 1), "Question: what is the capital of a"
    request = replace(request, prompt=Prompt("", (), text), options=(" country", "s"))
    alone = made.tokens(made.render(request.prompt))
    joined = made.tokens(made.render(request.prompt) + "s")
    [response] = answers(made, [request])
    assert response.options[1] == pytest.approx(plain(made, request, "s")[0], abs=1e-4)
    assert (joined[: len(alone)] == alone) == (response.option_tokens[1] == len(joined) - len(alone))


def test_options_that_do_not_fit_the_context_are_not_read(engine):
    made = engine("llama")
    long = replace(scored(count=1)[0], options=(" 1", " a city" * 200))
    found = answers(made, [long, *scored(count=1)])
    assert (found[0].finish_reason, found[0].options, found[0].sent) == (CONTEXT, None, False)
    assert found[1].options is not None


@pytest.mark.parametrize("decoding", ["cascade", "continuous", "plain"])
def test_options_and_answers_are_asked_for_together(engine, decoding):
    made = engine("gemma3", decoding=decoding)
    assert made.method == decoding
    [first, second] = scored(count=2)
    drawn = replace(first, options=(), decoding=replace(SCORED, max_tokens=4))
    found = answers(made, [drawn, first, drawn, second])  # one after the other, by kind
    assert [each.options is None for each in found] == [True, False, True, False]
    assert found[0].tokens_out > 0
    for request, response in ((first, found[1]), (second, found[3])):
        assert response.options[0] == pytest.approx(plain(made, request, OPTIONS[0])[0], abs=2e-4)


def test_what_begins_alike_is_one_branch_of_a_tree():
    tree = Tree()
    assert [tree.add(each) for each in ([1, 2, 3], [1, 2, 4], [1, 2], [5])] == [
        [0, 1, 2],
        [0, 1, 3],
        [0, 1],
        [4],
    ]
    assert (tree.tokens, tree.depths, len(tree)) == ([1, 2, 3, 4, 5], [0, 1, 2, 2, 0], 5)
    assert [tree.common(each) for each in ([1, 2, 3, 9], [9], [1, 2], [1, 9])] == [3, 0, 2, 1]
    assert tree.seen().int().tolist() == [
        [1, 0, 0, 0, 0],
        [1, 1, 0, 0, 0],
        [1, 1, 1, 0, 0],
        [1, 1, 0, 1, 0],
        [0, 0, 0, 0, 1],
    ]
