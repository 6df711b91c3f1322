"""A configuration to begin with: it can be read, and is right."""

import pytest
import yaml

from selfincorrect.config.check.experiment import check
from selfincorrect.config.new import configuration, likely_prompt, likely_size, main
from selfincorrect.sandbox.sandbox import hindrance


@pytest.mark.parametrize(
    ("model", "more", "alias", "size"),
    [
        ("HuggingFaceTB/SmolLM2-135M-Instruct", {}, "smollm2-135m-instruct", 1.35e8),
        ("catalog:gemma-3-270m", {"prompt": "completion"}, "gemma-3-270m", 2.7e8),
        ("owner/unsized", {}, "unsized", None),
        ("http://127.0.0.1:8000/v1", {"identity": "org/Qwen 3: 8B", "key": "MY_KEY"}, "qwen-3-8b", None),
    ],
)
def test_it_is_a_right_configuration(tmp_path, model, more, alias, size):
    text = configuration(model, "capitals", tmp_path / "mine.yaml", **more)
    config = check(yaml.safe_load(text))
    assert list(config.models) == [alias]
    assert list(config.tasks) == ["capitals"]
    assert "full" in config.variants
    assert "likelihood" in config.variants
    assert config.weighted[alias].parameters == size
    if "key" in more:
        assert config.weighted[alias].server.key == "MY_KEY"
        assert "labels" not in config.variants


def test_the_command_writes_no_file_twice(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    assert main(["catalog:gemma-3-270m", "triviaqa", "--to", "a.yaml"]) == 0
    assert "selfincorrect run --directory a --configfile a.yaml" in capsys.readouterr().out
    before = (tmp_path / "a.yaml").read_text()
    assert main(["catalog:gemma-3-270m", "capitals", "--to", "a.yaml"]) == 1
    assert "is there already" in capsys.readouterr().err
    assert (tmp_path / "a.yaml").read_text() == before


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("id,Question,answer\n1,Where?,Rome\n", {"question": "Question", "answer": "answer"}),
        ("prompt,target\n1+1?,2\n", {"question": "prompt", "answer": "target", "grade": "number"}),
        (
            '{"question": "?", "choices": ["a", "b"], "answer": "A"}\n',
            {"question": "question", "answer": "answer", "grade": "choice", "options": "choices"},
        ),
        ("one,two\n1,2\n", {"question": "?", "answer": "?"}),
        ("prompt,target\n" + "Where?,Rome\n" * 201, {"question": "prompt", "answer": "target", "limit": 200}),
    ],
)
def test_the_entry_of_a_file(tmp_path, capsys, text, told):
    path = tmp_path / "My quiz.csv"
    path.write_text(text)
    assert main(["task", str(path)]) == 0
    entry = yaml.safe_load(capsys.readouterr().out)
    assert entry == {"tasks": {"my_quiz": {"source": {"path": str(path)}, **told}}}
    if told["question"] != "?":
        models = {"m": {"source": "a/b", "revision": "main", "prompt": "chat"}}
        assert check({"models": models, **entry}).tasks["my_quiz"].question == told["question"]


def test_a_file_that_is_not_there_or_empty(tmp_path, capsys):
    assert main(["task", str(tmp_path / "none.csv")]) == 1
    (tmp_path / "empty.csv").write_text("question,answer\n")
    assert main(["task", str(tmp_path / "empty.csv")]) == 1
    said = capsys.readouterr().err
    assert "There is no file" in said
    assert "has no rows" in said


def test_a_file_of_questions_is_a_task_at_once(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "quiz.csv").write_text("question,answer\nWhere?,Rome\n")
    (tmp_path / "mine.gguf").write_text("")
    text = configuration("mine.gguf", "quiz.csv", tmp_path / "mine.yaml")
    config = check(yaml.safe_load(text))
    assert config.tasks["quiz"].source.path == str(tmp_path / "quiz.csv")
    assert config.models["mine"].source == str(tmp_path / "mine.gguf")


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["catalog:gemma-3-270m", "riddles"], "There is no task 'riddles'"),
        (["http://127.0.0.1:1/v1", "capitals"], "say which with --id"),
        (["catalog:nobody", "capitals"], "catalog:gemma-3-270m"),
        (["catalog:gemma-3-270m", "mt_bench"], "tasks.mt_bench.judges"),
    ],
)
def test_what_cannot_be_is_said(tmp_path, monkeypatch, capsys, arguments, says):
    monkeypatch.chdir(tmp_path)
    assert main(arguments) == 1
    assert says in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("model", "files", "prompt"),
    [
        ("catalog:gemma-3-270m", {}, "completion"), ("catalog:smollm2-135m-instruct", {}, "chat"),
        ("meta-llama/Llama-3.2-1B-Instruct", {}, "chat"), ("Qwen/Qwen3-4B-Base", {}, "completion"),
        ("google/gemma-3-1b-it", {}, "chat"), ("mine", {"chat_template.jinja": ""}, "chat"),
        ("mine", {"tokenizer_config.json": '{"chat_template": "x"}'}, "chat"),
        ("mine", {"tokenizer_config.json": "{}"}, "completion"),
    ],
)  # fmt: skip
def test_how_a_model_is_asked_is_guessed(tmp_path, model, files, prompt):
    if files:
        (tmp_path / model).mkdir()
        for name, text in files.items():
            (tmp_path / model / name).write_text(text)
        model = str(tmp_path / model)
    assert likely_prompt(model) == prompt


@pytest.mark.parametrize(
    ("model", "size"),
    [
        ("HuggingFaceTB/SmolLM2-1.7B-Instruct", 1.7e9), ("Qwen/Qwen3-30B-A3B", 3e10), ("Llama-3.1-8B", 8e9),
        ("catalog:gemma-3-270m", 2.7e8), ("a/Llama-3-70B-4bit", 7e10), ("gpt-neo-125m.Q4_1.gguf", 1.25e8),
        ("mistralai/Mixtral-8x7B-v0.1", None), ("microsoft/Phi-3-mini-4k-instruct", None), ("7b/mine", None),
    ],
)  # fmt: skip
def test_a_size_that_a_name_tells(model, size):
    assert likely_size(model) == size


def test_a_task_of_programs_says_that_they_are_run(tmp_path, monkeypatch):
    if hindrance():
        pytest.skip(f"no sandbox: {hindrance()}")
    monkeypatch.chdir(tmp_path)
    config = check(yaml.safe_load(configuration("catalog:gemma-3-270m", "humaneval", tmp_path / "a.yaml")))
    assert config.tasks["humaneval"].execute
