"""The transformers engine on tiny models with random weights: causal, sliding window, encoder-decoder, chat."""

import json
from pathlib import Path

import pytest
import torch
from transformers import AttentionInterface

from selfincorrect.engines import CONTEXT, Decoding, Request
from selfincorrect.engines.transformers import TransformersEngine, batching, cascade, fitting, levels, products
from selfincorrect.engines.transformers.sampling import Sampler
from selfincorrect.errors import UserError
from selfincorrect.prepare import prepare_model
from selfincorrect.prompts import Prompt
from tests.tiny import MODELS, save


@pytest.fixture(scope="module")
def engine(tmp_path_factory):
    """Makes an engine for a tiny model, through prepare_model as the workflow does."""
    made = {}

    def make(kind, mode="completion", batch_size=3, context=None, decoding="auto"):
        if kind not in made:
            made[kind] = save(kind, tmp_path_factory.mktemp(kind))
        settings = {"source": str(made[kind]), "revision": None, "prompt": mode, "engine": "transformers", "dtype": "float32", "context": context, "trust_remote_code": False}  # fmt: skip
        prepared = tmp_path_factory.mktemp("prepared")
        manifest = prepare_model(kind, settings, prepared)
        run = {"device": "cpu", "threads": 1, "batch_size": batch_size, "decoding": decoding}
        return TransformersEngine(manifest, prepared / "weights", run)

    return make


SHOTS = (
    ("Question: capital of X?\nAnswer:", "a city"),
    ("Question: capital of Y?\nAnswer:", "what is the country"),
)


def requests(temperature=0.7, count=5, samples=2, steps=12, top_p=1.0, stop=("\n\n",), shots=SHOTS):
    return [
        Request(
            Prompt("Answer.", shots, f"Question: what is {'the capital of ' * i}country {i}?\nAnswer:"),
            Decoding(steps, temperature, top_p, stop),
            seed=None if temperature == 0 else 100 * i + sample,
        )
        for i in range(count)
        for sample in range(samples if temperature else 1)
    ]


def answers(engine, asked):
    found = {id(request): response for batch in engine.answer(asked) for request, response in batch}
    return [found[id(request)] for request in asked]


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
    assert shared.way == "cascade"
    plain = engine(kind, decoding="plain")
    assert [r.text for r in answers(shared, asked)] == [r.text for r in answers(plain, asked)]


@pytest.mark.parametrize("kind", ["llama", "gemma3"])
@pytest.mark.parametrize(("temperature", "top_p", "size"), [(0, 1.0, 2), (0.7, 1.0, 3), (0.7, 0.8, 64)])
def test_continuous_batching_gives_what_plain_generate_gives(engine, kind, temperature, top_p, size):
    free = requests(temperature, samples=3, steps=40, top_p=top_p, stop=())[1:]  # one prompt with fewer samples
    plain = engine(kind, decoding="plain")
    stop = answers(plain, free[:1])[0].text[20:22]
    asked = free + requests(temperature, samples=3, steps=40, top_p=top_p, stop=(stop,))
    continuous = engine(kind, decoding="continuous", batch_size=size)
    assert continuous.way == "continuous"
    found, expected = answers(continuous, asked), answers(plain, asked)
    assert [r.text for r in found] == [r.text for r in expected]
    assert [(r.finish_reason, r.tokens_out) for r in found] == [(r.finish_reason, r.tokens_out) for r in expected]
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
        assert engine(kind).way == "plain"
        assert words in caplog.text


def test_a_trial_finds_attention_that_does_more(engine, monkeypatch):
    made = engine("llama")
    made.model.set_attn_implementation("sdpa")
    attend = levels._attention

    def biased(*arguments, **named):
        result, nothing = attend(*arguments, **named)
        return (result if named.get("cascade") is None else result * 1.2), nothing

    AttentionInterface.register(levels.NAME, biased)
    try:
        assert "a trial differs from its own attention" in fitting.fitted(made.model)
        assert made.model.config._attn_implementation == "sdpa", "left as it was"
    finally:
        AttentionInterface.register(levels.NAME, attend)
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
        (entered,) = together.enter(continued[3:], [2])  # in the place of the one that left: 0, 2, 3, and two new ones
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


def test_products_by_columns_are_the_same_products():
    layer = torch.nn.Linear(24, 5000)
    x = torch.randn(2, 3, 24)
    expected = layer(x)
    products.prefer_columns(torch.nn.Sequential(layer))
    assert type(layer) is products._Columns
    assert torch.allclose(layer(x), expected, atol=1e-5)
    assert layer(torch.randn(600, 24)).shape == (600, 5000)
    half = torch.nn.Linear(4, 4).bfloat16()
    products.prefer_columns(torch.nn.Sequential(half))
    assert type(half) is torch.nn.Linear


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


def test_no_gpu_is_said(engine, tmp_path):
    if torch.cuda.is_available():
        pytest.skip("there is a GPU here")
    manifest = {
        "name": "m",
        "trust_remote_code": False,
        "encoder_decoder": False,
        "dtype": "float32",
        "prompt": "chat",
        "context": 1,
    }
    with pytest.raises(UserError, match=r"run.device is cuda.*no GPU.*device: cpu"):
        TransformersEngine(manifest, tmp_path, {"device": "cuda", "threads": 1, "batch_size": 1, "decoding": "auto"})


def test_out_of_memory_makes_the_batch_smaller_and_loses_nothing(engine, monkeypatch):
    made = engine("llama", batch_size=8)
    expected = [r.text for r in answers(made, requests())]
    decode = TransformersEngine._decode

    def small_memory(self, waiting, beginnings, continued, size):
        for finished in decode(self, waiting, beginnings, continued, size):
            yield finished  # some answers are there when memory runs out
            if size > 2:
                raise torch.OutOfMemoryError("too much")

    monkeypatch.setattr(TransformersEngine, "_decode", small_memory)
    assert [r.text for r in answers(made, requests())] == expected

    def no_memory(self, waiting, beginnings, continued, size):
        raise torch.OutOfMemoryError("too much")

    monkeypatch.setattr(TransformersEngine, "_decode", no_memory)
    with pytest.raises(UserError, match=r"runs out of memory on one sequence of \d+ tokens"):
        answers(made, requests())


def test_continuous_batching_backs_off_when_memory_runs_out(engine, monkeypatch, caplog):
    made = engine("llama", decoding="continuous", batch_size=8)
    expected = [r.text for r in answers(made, requests())]
    forward, calls = made.model.forward, []

    def small_memory(*arguments, **named):
        calls.append(named["input_ids"].shape)
        if len(calls) == 15:
            raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB.")
        return forward(*arguments, **named)

    monkeypatch.setattr(made.model, "forward", small_memory)
    assert [r.text for r in answers(made, requests())] == expected
    assert "out of memory: going on with 4 sequences at a time" in caplog.text

    def broken(*arguments, **named):
        raise ValueError("no such kernel")

    monkeypatch.setattr(made.model, "forward", broken)
    with pytest.raises(RuntimeError, match="continuous batching failed: no such kernel"):
        answers(made, requests())


CPU_FULL = RuntimeError("[enforce fail at alloc_cpu.cpp:127] DefaultCPUAllocator: can't allocate memory: you tried …")


@pytest.mark.parametrize(
    ("error", "message"),
    [
        (CPU_FULL, r"runs out of memory on one sequence"),
        (
            torch.AcceleratorError("CUDA error: out of memory\nCUDA kernel errors might be …"),
            r"runs out of memory on one sequence",
        ),
        (
            torch.AcceleratorError("CUDA error: unspecified launch failure\nCUDA kernel errors might be …"),
            "The GPU failed",
        ),
        (RuntimeError("CUDA driver error: device not ready"), r"The GPU failed while llama was running: CUDA driver"),
        (RuntimeError("CUDA error: CUBLAS_STATUS_EXECUTION_FAILED when calling `cublasGemmEx`"), "nvidia-smi"),
    ],
)
def test_a_device_that_fails_is_one_message_and_earlier_answers_stay(engine, monkeypatch, error, message):
    made, decode, asked = engine("llama", batch_size=2), TransformersEngine._decode, requests()

    def failing(self, waiting, beginnings, continued, size):
        yield next(decode(self, waiting, beginnings, continued, size))
        raise error

    monkeypatch.setattr(TransformersEngine, "_decode", failing)
    coming = made.answer(asked[:4])
    assert next(coming)
    with pytest.raises(UserError, match=message):
        list(coming)


def test_a_fault_of_the_program_is_no_message_about_a_device(engine, monkeypatch):
    made = engine("llama")

    def broken(self, waiting, beginnings, continued, size):
        raise RuntimeError("shape mismatch")

    monkeypatch.setattr(TransformersEngine, "_decode", broken)
    with pytest.raises(RuntimeError, match="shape mismatch"):
        answers(made, requests())


def test_a_model_too_large_for_the_device_is_said(engine, monkeypatch):
    def full(*arguments):
        raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 30.00 GiB.\nGPU 0 has …")

    monkeypatch.setattr("selfincorrect.engines.transformers.loading.load", full)
    with pytest.raises(
        UserError, match=r"llama does not fit into memory: CUDA out of memory. Tried to allocate 30.00 GiB\. Use"
    ):
        engine("llama")


@pytest.mark.parametrize("decoding", ["cascade", "plain"])
def test_told_to_stop_sequences_in_flight_are_finished_and_no_others_begin(engine, monkeypatch, decoding):
    made, asked = engine("llama", decoding=decoding, batch_size=4), requests(count=6, samples=2)
    expected = dict(zip(map(id, asked), (response.text for response in answers(made, asked)), strict=True))
    came = []
    for batch in made.answer(asked):
        came += batch
        monkeypatch.setattr("selfincorrect.stopping.requested", lambda: True)
    assert 4 <= len(came) <= 7, "those in flight, and those that had taken the place of ended ones"
    assert all(response.text == expected[id(request)] for request, response in came)


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
    settings = {"source": made.model.config._name_or_path, "revision": None, "prompt": "chat", "engine": "transformers", "dtype": "float32", "context": 64, "trust_remote_code": False}  # fmt: skip
    manifest = prepare_model("m", settings, tmp_path)
    assert manifest["context"] == 64
    assert not manifest["encoder_decoder"]
    again = prepare_model("other", {**settings, "prompt": "completion", "dtype": "bfloat16"}, tmp_path / "b")
    assert again["revision"] == manifest["revision"]
    assert again["digest"] != manifest["digest"]
    assert json.dumps(manifest)


def test_a_source_of_another_kind_replaces_what_was_there(engine, tmp_path):
    made = engine("llama")
    settings = {"source": made.model.config._name_or_path, "revision": None, "prompt": "chat", "engine": "transformers", "dtype": "float32", "context": None, "trust_remote_code": False}  # fmt: skip
    (tmp_path / "weights" / "inside").mkdir(parents=True)
    prepare_model("m", settings, tmp_path)
    assert (tmp_path / "weights").is_symlink()
    prepare_model("m", settings, tmp_path)
    assert (tmp_path / "weights" / "config.json").exists()
