"""Thoughts with a budget: closed where they are longer, as if the model had done it; by hand."""

from dataclasses import replace

import pytest

from selfincorrect.config import slices
from selfincorrect.config.check.experiment import check
from selfincorrect.engines import thoughts
from selfincorrect.engines.prompt import Prompt
from selfincorrect.engines.reasoning import ReasoningConfig
from selfincorrect.engines.requests import Decoding, Request, Response
from selfincorrect.engines.transformers.rendering import rendered
from selfincorrect.errors import UserError
from selfincorrect.generate.candidates import candidate_table
from selfincorrect.grade.grades import reasons
from selfincorrect.models.ask import OpenedModel, ask
from selfincorrect.models.forcing import with_budget
from selfincorrect.models.store import ResponseStore
from selfincorrect.tasks.base import Question

TOLD, SERVER = ReasoningConfig(budget=5), {"url": "http://h/v1"}
REQUEST = Request(Prompt("Do.", (), "Q?"), Decoding(3, 0.7, 1.0, ("\n",)), 11)


def asking(*answers, opened=""):
    """An `ask` that gives (text, finish reason) in turn and keeps what it was asked."""
    seen, waiting = [], iter(answers)

    def ask(requests):
        seen.append(list(requests))
        return [
            Response(text, each.prompt.text() + opened, reason, 7, len(text.split()), -1.0)
            for each, (text, reason) in zip(requests, waiting, strict=False)
        ]

    return ask, seen


def test_a_short_thought_is_one_request_within_the_budget():
    ask, seen = asking(("<think>so</think>Paris", "stop"))
    [response] = with_budget([REQUEST], TOLD, ask)
    assert (response.text, response.forced) == ("<think>so</think>Paris", False)
    assert [len(each) for each in seen] == [1]
    assert seen[0][0].decoding.max_tokens == 5


def test_a_long_thought_is_closed_and_the_answer_asked_for():
    ask, seen = asking(("<think>a b c d", "length"), ("Paris", "stop"))
    [response] = with_budget([REQUEST], TOLD, ask)
    assert response.text == "<think>a b c d\n</think>\n\nParis"
    assert (thoughts.answer(response.text) or "").strip() == "Paris"
    assert response.forced
    assert (response.tokens_in, response.tokens_out, response.reasoning_tokens) == (7, 5, 4)
    assert response.logprob is None, "the model did not write the tag"
    second = seen[1][0]
    assert second.prompt.begun == "<think>a b c d\n</think>\n\n"
    assert second.decoding == REQUEST.decoding
    assert second.prompt.text().endswith("Q?<think>a b c d\n</think>\n\n")
    assert second.seed not in (None, REQUEST.seed)


def test_an_answer_that_is_cut_goes_on_and_a_tag_of_the_prompt_is_not_written_twice():
    ask, seen = asking(("<think>a\n</think>The", "length"), (" city", "length"), opened="<think>\n")
    [response] = with_budget([REQUEST], TOLD, ask)
    assert seen[1][0].prompt.begun == "a\n</think>The" or seen[1][0].prompt.begun == "\na\n</think>The"
    assert thoughts.answer(response.text) == "The city"
    assert (response.finish_reason, response.forced, response.logprob) == ("length", False, -2.0)


def test_thoughts_that_never_end_by_themselves_are_closed_too_and_options_are_let_alone():
    options = Request(REQUEST.prompt, REQUEST.decoding, None, ("1", "2"))
    ask, seen = asking(("", "stop"), ("<think>hm", "stop"), ("4", "stop"))
    one, two = with_budget([options, REQUEST], TOLD, ask)
    assert seen[0][0] is options
    assert one.text == ""
    assert thoughts.answer(two.text).strip() == "4"


def test_without_an_answer_there_is_none():
    def failing(requests):
        if requests[0].prompt.begun:
            return [Response(None, "p", "context", 99, 0, None, sent=False)]
        return [Response("<think>hm", "p", "length", 7, 5, -1.0)]

    [response] = with_budget([REQUEST], TOLD, failing)
    assert (response.text, response.finish_reason) == (None, "context")


def test_greedy_requests_stay_greedy():
    greedy = Request(REQUEST.prompt, Decoding(3, 0.0, 1.0, ()), None)
    ask, seen = asking(("<think>hm", "length"), ("1", "stop"))
    with_budget([greedy], TOLD, ask)
    assert seen[1][0].seed is None


@pytest.mark.parametrize(
    ("text", "thought", "rest"),
    [
        ("<think>a b</think>Paris", "a b", "Paris"), ("a</think>\n\nParis", "a", "Paris"), 
        ("Paris", "", "Paris"),
        ("<think>a", "a", ""), ("x<think>a</think>y", "a", "xy"), ("", "", ""),
        ("<think>a</think>Paris<think>b", "ab", ""),
    ],
)  # fmt: skip
def test_thoughts_have_a_column_of_their_own(text, thought, rest):
    assert thoughts.parted(text) == (thought, rest)
    table = candidate_table(
        [Question("q", "q", "?", ("Paris",))], [REQUEST], [Response(text, "p", "stop", 1, 2, None)], 1000
    )
    assert table["text"].to_list() == [rest]
    assert table["reasoning"].to_list() == [thought or None]
    assert (reasons(table) == ["unfinished_thought"]) == (not rest and bool(thought))


def test_unusual_tags_become_the_usual_ones(monkeypatch):
    for name in ("_TAG", "_OPENS_AT_END", "_MAY_BE_TAG"):
        monkeypatch.setattr(thoughts, name, getattr(thoughts, name))
    monkeypatch.setattr(thoughts, "_OWN", set())
    assert not thoughts.unfinished("«so")
    thoughts.know("«", "»")
    assert thoughts.unfinished("«so")
    assert thoughts.answer("«so»Paris") == "Paris"
    assert thoughts.opening("Q: «") == "«"
    assert thoughts.standard("«so»Paris") == "<think>so</think>Paris"
    assert thoughts.stop_at("«a\nb»Paris\n", ["\n"]) == len("«a\nb»Paris")


class Template:
    """A tokenizer whose chat template tells what it was given."""

    def apply_chat_template(self, messages, add_generation_prompt, continue_final_message, tokenize, **told):
        assert (add_generation_prompt, continue_final_message, tokenize) == (True, False, False)
        return f"{[each['role'] for each in messages]} {told}<think>\n"


def test_what_is_begun_follows_whatever_the_template_writes():
    prompt = replace(REQUEST.prompt, begun="hm\n</think>\n")
    assert rendered(prompt, Template(), "m", {"enable_thinking": True}) == (
        "['user'] {'enable_thinking': True}<think>\nhm\n</think>\n"
    )
    assert prompt.messages()[-1] == {"role": "begun", "content": "hm\n</think>\n"}, "it is in the store's key"
    assert REQUEST.key("d", "chat") != replace(REQUEST, prompt=prompt).key("d", "chat")


def test_a_chat_server_gets_both_limits_together(tmp_path):
    seen = []

    class Served:
        def answer(self, requests, stop=None):
            seen.extend(requests)
            yield [(each, Response("<think>a</think>b", "p", "stop", 1, 2, None)) for each in requests]

    store = ResponseStore(tmp_path)
    model = OpenedModel("m", "d", "chat", None, store, Served, {}, reasoning=TOLD, in_process=False)
    [response] = ask([REQUEST], model, "test")
    assert seen[0].decoding.max_tokens == 8
    assert response.text == "<think>a</think>b"


@pytest.mark.parametrize(
    ("entry", "told"),
    [
        ({"reasoning": {"effort": "low", "thinking": False}, "engine": "openai", "server": SERVER},
         {"body": {"reasoning_effort": "low", "chat_template_kwargs": {"enable_thinking": False}}}),
        ({"reasoning": {"effort": "low"}, "engine": "openai",
          "server": {**SERVER, "body": {"reasoning_effort": "high", "top": 1}}},
         {"body": {"reasoning_effort": "high", "top": 1}}),
        ({"reasoning": {"thinking": True}}, {"template": {"enable_thinking": True}}),
        ({"reasoning": {"budget": 9}}, {}), ({}, {}),
    ],
)  # fmt: skip
def test_servers_and_templates_are_told(entry, told):
    given = {"models": {"m": {"source": "a/b", "prompt": "chat", **entry}}, "tasks": {"capitals": {}}}
    if "engine" not in entry:
        given["models"]["m"]["revision"] = "main"
    config = check(given)
    slice = slices.prepare_model(config, "m")
    assert {key: slice[key] for key in ("body", "template") if key in slice} == told
    asked = slices.generate(config, "m", "capitals")
    assert asked.get("reasoning") == (
        {"m": {"budget": 9, "close": "\n</think>\n\n", "tags": None}} if "budget" in str(entry) else None
    )


@pytest.mark.parametrize(
    ("reasoning", "key"),
    [
        ({"effort": "low"}, "effort"),
        ({"budget": 9, "tags": ["<a>", "<b>"]}, "close"),
        ({"budget": 0}, "budget"),
    ],
)
def test_what_means_nothing_to_a_model_is_told(reasoning, key):
    model = {"source": "a/b", "revision": "main", "prompt": "chat", "reasoning": reasoning}
    with pytest.raises(UserError, match=f"reasoning.{key}"):
        check({"models": {"m": model}, "tasks": {"capitals": {}}})
