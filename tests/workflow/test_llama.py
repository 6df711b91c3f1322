"""A real llama.cpp server: the distribution of this process, no column wrong, costs as in the tables."""

import sys
from collections import Counter
from pathlib import Path

import polars as pl
import pytest
from scipy.stats import chi2_contingency

from bench.compare import timed
from selfincorrect.engines.manifest import Manifest, Running
from selfincorrect.engines.prompt import Prompt
from selfincorrect.engines.requests import SCORED, Decoding, Request
from selfincorrect.engines.transformers.engine import TransformersEngine
from selfincorrect.io import read_json
from selfincorrect.sources.catalog import catalog
from selfincorrect.sources.fetch import fetch_gguf
from tests.conftest import Workflow
from tests.support.hosted import answers, engine
from tests.support.llama import llama_serve

pytestmark = [pytest.mark.model, pytest.mark.xdist_group("model")]

PROMPTS = {
    "completion": Prompt("", (), "Once upon a time there was a"),
    "chat": Prompt("", (), "Name a city."),
}
DRAWS, SEED = 240, 7 * 10**9
RARE = 8  # tokens drawn less often than this, in both together, are counted as one


@pytest.fixture(scope="module")
def gguf(pytestconfig):
    path = pytestconfig.cache.mkdir("models") / "smollm2.gguf"
    if not path.exists():
        partial = path.with_suffix(".part")
        fetch_gguf(catalog()["smollm2-135m-instruct"], partial)
        partial.rename(path)
    return path


@pytest.fixture(scope="module")
def llama(gguf):
    with llama_serve(gguf) as url:
        yield url


def first_tokens(engine, prompt):
    how = Decoding(1, 1.0, 1.0, ())
    return Counter(
        r.text for r in answers(engine, [Request(prompt, how, SEED + 10**6 * n) for n in range(DRAWS)])
    )


@pytest.mark.parametrize("mode", ["completion", "chat"])
def test_first_tokens_are_drawn_as_in_this_process(llama, prepared, mode):
    manifest = Manifest(**read_json(prepared / "manifest.json") | {"prompt": mode})
    run = Running("cpu", 1)
    here = first_tokens(TransformersEngine(manifest, prepared / "weights", run), PROMPTS[mode])
    there = first_tokens(engine(llama, mode, key=None, concurrency=4, timeout=60), PROMPTS[mode])
    often = [token for token in here | there if here[token] + there[token] >= RARE]
    table = [[counts[token] for token in often] for counts in (here, there)]
    table = [[*row, DRAWS - sum(row)] for row in table]
    assert len(often) >= 5
    assert chi2_contingency(table).pvalue > 1e-3, (here, there)


def test_a_run_has_right_columns_and_its_costs_are_the_tables_tokens(llama, tmp_path):
    workflow = Workflow(tmp_path)
    server = {"url": llama, "concurrency": 4, "price": {"input": 1, "output": 2}}
    models = {
        mode: {"engine": "openai", "source": "smollm2", "prompt": mode, "server": server}
        for mode in ("completion", "chat")
    }
    workflow.configure(models=models, tasks={"capitals": {"limit": 8}}, k=[4], variants={"full": {}})
    workflow.run("tables_only")
    for mode in models:
        candidates = workflow.table(f"{mode}/capitals/candidates.parquet")
        choices = workflow.table(f"{mode}/capitals/k4/choices.parquet")
        assert candidates["text"].null_count() == 0
        assert candidates.filter(pl.col("logprob") > 0).height == 0
        assert candidates["logprob"].null_count() <= 1, (
            "of a token that is no whole character, the server tells nothing"
        )
        assert set(candidates["finish_reason"]) <= {"stop", "length"}
        assert candidates["tokens_in"].min() > 10
        assert candidates["seed"].null_count() in range(1, 8 * 3 + 1), (
            "a call of four draws one of them with its seed"
        )
        accounts = [read_json(path) for path in workflow.path("logs").rglob(f"*.{mode}.answering.json")]
        told = candidates["tokens_out"].sum() + choices["tokens_out"].sum()
        probe = 2 * 8  # two short calls that find out whether seeds are heeded
        assert told <= sum(each["tokens_out"] for each in accounts) <= told + probe + 4 * 8


def test_options_are_about_as_probable_as_in_this_process(llama, prepared):
    """Weights are the same up to how the server keeps them in 8 bits or fewer."""
    manifest = Manifest(**read_json(prepared / "manifest.json"))
    pairs = [f"Which is larger?\n1. {one}\n2. {other}" for one, other in ((3, 9), (8, 4), (70, 11))]
    prompts = [Prompt("Reply with a number alone.", (), pair) for pair in pairs]
    asked = [Request(prompt, SCORED, None, ("1", "2")) for prompt in prompts]
    here = answers(TransformersEngine(manifest, prepared / "weights", Running("cpu", 1)), asked)
    there = answers(engine(llama, "chat", key=None, timeout=60), asked)
    for one, other in zip(here, there, strict=True):
        assert None not in other.options
        assert other.options == pytest.approx(one.options, abs=0.25)
        assert other.bound < -1


def test_the_peer_that_speed_is_compared_with_writes_what_it_is_asked_for(gguf, tmp_path):
    job = {"texts": ["Once upon", "One and one is"], "samples": 2, "temperature": 0.0, "new_tokens": 4}
    job |= {"stop": [], "may_end": False, "threads": 1, "gguf": {"f32": str(gguf)}}
    peer = Path(__file__).parents[2] / "bench" / "llama_peer.py"
    found = timed([sys.executable, str(peer), "f32"], job, tmp_path)
    assert found["tokens"] == 2 * 2 * 4
    assert found["texts"][0] == found["texts"][1] != found["texts"][2] == found["texts"][3]
