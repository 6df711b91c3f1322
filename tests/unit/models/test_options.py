"""How probable given answers are, asked through the store."""

import json
from dataclasses import asdict, replace

import pytest

from selfincorrect.digest import digest
from selfincorrect.engines.requests import Response, stored_response
from selfincorrect.engines.scripted import ScriptedEngine
from selfincorrect.errors import UserError
from selfincorrect.models.ask import ask
from tests.support.asking import REQUESTS, Engine, opened


def test_options_are_asked_for_once_and_answers_of_before_keep_their_keys(tmp_path):
    (tmp_path / "script.yaml").write_text(
        'rules: [{match: "", answers: ["x"], options: {"1": -0.5, "2": -1.5}}]'
    )
    plain = REQUESTS[0]
    asked = replace(plain, options=("1", "2", "other"))
    model = replace(
        opened(tmp_path / "store", None, lambda: ScriptedEngine(tmp_path / "script.yaml", None)), options=True
    )
    drawn, scored = ask([plain, asked], model, "test")
    assert (drawn.text, drawn.options, scored.text) == ("x", None, "")
    assert scored.options[:2] == (-0.5, -1.5)
    assert scored.options[2] <= 0
    again = replace(opened(tmp_path / "store", None, lambda: pytest.fail("all is stored")), options=True)
    assert ask([plain, asked], again, "test") == [drawn, scored]
    # As a store of before knows it: without a word of options.
    told = {"prompt": plain.prompt.rendered("completion"), "decoding": asdict(plain.decoding)}
    assert plain.key("digest", "completion") == digest([1, "digest", "completion", told, None])
    assert asked.key("digest", "completion") != plain.key("digest", "completion")


def test_an_engine_that_cannot_tell_options_apart_is_named(tmp_path):
    with pytest.raises(UserError, match="model is asked how probable given answers are"):
        ask([replace(REQUESTS[0], options=("1",))], opened(tmp_path, None, Engine), "test")


@pytest.mark.parametrize("wrong", [[0.5], ["-1"], [float("nan")], "12", {"1": -1}])
def test_options_that_make_no_sense_are_no_stored_answer(wrong):
    record = Response("", "p", "stop", 1, 0, None, options=(-1.0, None)).record()
    assert stored_response(json.loads(json.dumps(record))).options == (-1.0, None)
    with pytest.raises(ValueError, match="options"):
        stored_response({**record, "options": wrong})
