"""Asking through the store: once for each answer, and the same result whatever the store held before."""

from dataclasses import replace

import pytest

from selfincorrect.engines.prompt import Prompt
from selfincorrect.engines.requests import CONTEXT, Decoding, Request, Response, Versions
from selfincorrect.errors import UserError
from selfincorrect.models.ask import UNGREEDY, OpenedModel, ask, rank
from selfincorrect.models.store import ResponseStore, main
from tests.support.asking import REQUESTS, Engine, opened


def run(folder, context, engine):
    return ask(REQUESTS, opened(folder, context, lambda: engine), "test")


def test_equal_requests_are_asked_once_and_stored_ones_never(tmp_path):
    first = Engine()
    responses = run(tmp_path, None, first)
    assert first.asked == 2
    assert [r.tokens_in for r in responses] == [3, 30, 3]

    def no_engine():
        pytest.fail("every answer is stored: no engine is needed")

    again = ask(REQUESTS, opened(tmp_path, None, no_engine), "test")
    assert again == responses


def test_context_counts_the_same_whatever_was_stored(tmp_path):
    fresh = run(tmp_path / "fresh", 20, Engine(20))
    run(tmp_path / "filled", 1000, Engine(1000))
    after = run(tmp_path / "filled", 20, Engine(20))
    assert fresh == after
    assert [r.finish_reason for r in fresh] == ["stop", CONTEXT, "stop"]
    assert fresh[1].text is None
    assert len(ResponseStore(tmp_path / "fresh")) == 1, "what was not sent is not stored"


def test_an_engine_that_fails_leaves_what_it_finished(tmp_path):
    class Failing(Engine):
        def answer(self, requests, stop=lambda: False):
            yield next(super().answer(requests))
            raise RuntimeError("gone")

    with pytest.raises(RuntimeError, match="gone"):
        run(tmp_path, None, Failing())
    assert len(ResponseStore(tmp_path)) == 1
    engine = Engine()
    run(tmp_path, None, engine)
    assert engine.asked == 1


def one(text, finish="stop", stop=("\n",), prompt="Q:", **more):
    """A request and the response to it."""
    return Request(Prompt("", (), prompt), Decoding(4, 0.0, 1.0, stop), None), Response(
        text, prompt, finish, 1, 1, -1.0, **more
    )


class Script:
    """Gives the responses of `pairs`, and counts what it is asked."""

    def __init__(self, pairs):
        self.pairs, self.asked = pairs, 0

    def answer(self, requests, stop=lambda: False):
        for request in requests:
            if stop():
                return
            self.asked += 1
            yield [(request, next(response for other, response in self.pairs if other == request))]


def asked(folder, pairs, **more):
    """Responses to the requests of `pairs`, and how many were asked for."""
    engine = Script(pairs)
    model = OpenedModel(
        "model", "digest", "completion", None, ResponseStore(folder, rank), lambda: engine, {}, **more
    )
    return ask([request for request, _ in pairs], model, "test"), engine.asked


def reasons(count, reason, of=100):
    """Pairs of which the last `count` have no answer."""
    there = [one("x", prompt=f"Q{number}:") for number in range(of - count)]
    return there + [one(None, reason, prompt=f"R{n}:", said="the server's words") for n in range(count)]


@pytest.mark.parametrize("reason", ["context", "refused", "filtered", "error"])
def test_an_answer_that_is_missing_for_a_reason_is_stored_and_ends_no_run(tmp_path, caplog, reason):
    pairs = reasons(5, reason)
    responses, count = asked(tmp_path, pairs)
    assert count == 100
    assert [r.finish_reason for r in responses[-6:]] == ["stop"] + [reason] * 5
    assert {r.text for r in responses[-5:]} == {None}
    assert "5 of 100" in caplog.text
    assert "were not sent" not in caplog.text
    assert asked(tmp_path, pairs) == (responses, 0), "asked once"
    better = pairs[:-5] + [one("late", prompt=f"R{number}:") for number in range(5)]
    responses, count = asked(tmp_path, better, retry=["error"])
    assert (count, responses[-1].text) == ((5, "late") if reason == "error" else (0, None))
    assert asked(tmp_path, pairs)[0] == responses, "a reason does not come back in the place of an answer"


def test_a_run_ends_where_every_call_fails_or_too_many_do(tmp_path):
    with pytest.raises(UserError, match=r"the server's words\n5 of 5 calls failed"):
        asked(tmp_path / "all", reasons(100, "error"))
    with pytest.raises(UserError, match=r"21 of 100 calls failed.* 79 of 100 answers came"):
        asked(tmp_path / "many", reasons(21, "error"))
    assert len(ResponseStore(tmp_path / "many")) == 79, "answers are kept, failures are not"
    some = reasons(21, "error")
    some[-1] = one("late", prompt="R20:")
    assert asked(tmp_path / "many", some)[1] == 21
    assert asked(tmp_path / "other", reasons(40, "error"), errors=0.5)[1] == 100


def test_a_question_that_fails_counts_once_however_many_samples_of_it_are_wanted(tmp_path):
    prompts = [f"Q{number}:" for number in range(50)]
    pairs = [
        (replace(request, decoding=replace(request.decoding, temperature=0.7), seed=seed), response)
        for prompt in prompts
        for request, response in [
            one(None, "error", prompt=prompt) if prompt == "Q0:" else one("x", prompt=prompt)
        ]
        for seed in range(20)
    ]
    responses, count = asked(tmp_path, pairs)
    assert (count, [r.finish_reason for r in responses].count("error")) == (1000, 20)


def test_what_is_under_way_when_the_first_questions_fail_is_kept_and_clears_the_server(tmp_path):
    pairs = reasons(5, "error", of=60)[::-1]

    class Slow(Script):
        """Failures come first; what was begun beside them comes in spite of `stop`."""

        def answer(self, requests, stop=lambda: False):
            for place, request in enumerate(requests):
                if stop() and place >= 8:
                    return
                yield from super().answer([request])

    model = OpenedModel("m", "digest", "completion", None, ResponseStore(tmp_path), lambda: Slow(pairs), {})
    responses = ask([request for request, _ in pairs], model, "test")
    assert [r.finish_reason for r in responses].count("stop") == 55


def test_thoughts_that_an_earlier_version_cut_at_a_stop_string_are_asked_for_again(tmp_path):
    request, cut = one("<think>")
    ResponseStore(tmp_path, rank).add([(request.key("digest", "completion"), cut.record())])
    whole = [(request, one("<think>\nhm\n</think>Paris")[1])]
    assert asked(tmp_path, whole) == ([whole[0][1]], 1)
    assert asked(tmp_path, whole)[1] == 0


@pytest.mark.parametrize("finish", ["stop", "length"])
def test_a_thought_that_its_model_never_ended_is_asked_for_once(tmp_path, finish):
    pairs = [one("<think>\nhm", finish)]
    assert asked(tmp_path, pairs)[1] == 1
    responses, count = asked(tmp_path, pairs)
    assert count == 0
    assert responses[0].unfinished_thought


def test_a_text_begins_with_the_tag_that_its_prompt_opened(tmp_path):
    pairs = [
        one("hm\n</think>Paris", prompt="Q:<think>\n"),
        one("<think>hm</think>Rome", prompt="R:<think>\n"),
    ]
    for _ in range(2):
        assert [r.text for r in asked(tmp_path, pairs)[0]] == [
            "<think>hm\n</think>Paris",
            "<think>hm</think>Rome",
        ]


def test_models_that_are_never_greedy_are_asked_with_a_temperature_and_a_seed(tmp_path):
    seen = []

    class Drawing:
        def answer(self, requests, stop=lambda: False):
            seen.extend(requests)
            yield [(request, Response("x", "", "stop", 1, 1, None)) for request in requests]

    pairs = [one("x", prompt=f"Q{number}:")[0] for number in range(3)]
    model = OpenedModel(
        "model",
        "digest",
        "completion",
        None,
        ResponseStore(tmp_path),
        Drawing,
        {},
        versions=Versions(1, 2),
        greedy=False,
    )
    assert len(ask(pairs, model, "test")) == 3
    assert {request.decoding.temperature for request in seen} == {UNGREEDY}
    assert len({request.seed for request in seen}) == 3
    drawn = replace(seen[0], decoding=replace(seen[0].decoding, temperature=0.7))
    ask([drawn], model, "test")
    assert seen[-1] == drawn, "what is drawn anyway stays as it is"


def test_what_a_server_says_it_is_is_counted(tmp_path):
    model = OpenedModel(
        "m", "digest", "completion", None, ResponseStore(tmp_path), lambda: Script(pairs), {"name": "m"}
    )
    pairs = [one("x", prompt=f"Q{n}:", model="m-1", fingerprint="fp" if n else None) for n in range(3)]
    ask([request for request, _ in pairs], model, "test")
    assert model.told() == {
        "name": "m", "served": [{"model": "m-1", "fingerprint": "fp", "answers": 2}, {"model": "m-1",
        "fingerprint": None, "answers": 1}],
    }  # fmt: skip


def test_two_runs_that_share_a_store_settle_on_the_first_answer(tmp_path, caplog):
    request, _ = one("x")

    class Other:
        def answer(self, requests, stop=lambda: False):
            asked(tmp_path, [(request, one("first")[1])])
            yield [(request, one("second")[1])]

    model = OpenedModel("model", "digest", "completion", None, ResponseStore(tmp_path, rank), Other, {})
    assert ask([request], model, "test")[0].text == "first"
    assert "another run with the same store had got 1 answers earlier" in caplog.text
    assert asked(tmp_path, [(request, one("third")[1])]) == ([one("first")[1]], 0)


def test_a_record_that_is_no_answer_is_named_and_taken_out_by_one_command(tmp_path, capsys):
    request, response = one("x")
    key = request.key("digest", "completion")
    for value in (
        {"\x1b]0;evil\x07": 1},
        {**response.record(), "tokens_in": 10**30},
        {**response.record(), "text": 5},
        [1],
    ):
        store = ResponseStore(tmp_path)
        store.add([(key, value), ("other", response.record())])
        store.close()
        with pytest.raises(
            UserError, match=r"is no answer, in .*: .*\n +selfincorrect store check '.*' --drop"
        ):
            asked(tmp_path, [(request, response)])
        assert main(["check", str(tmp_path)]) == 1
        assert "\x1b" not in capsys.readouterr().out
        assert main(["check", str(tmp_path), "--drop"]) == 0
        assert "other" in ResponseStore(tmp_path)
        assert key not in ResponseStore(tmp_path)
    assert asked(tmp_path, [(request, response)])[1] == 1
