"""The transformers engine when a device fails, memory runs out or the job is told to end."""

import pytest
import torch

from selfincorrect.engines.manifest import Manifest, Running
from selfincorrect.engines.transformers.engine import TransformersEngine
from selfincorrect.errors import UserError
from tests.support.tiny import answers, requests


def test_no_gpu_is_said(engine, tmp_path):
    if torch.cuda.is_available():
        pytest.skip("there is a GPU here")
    manifest = Manifest(name="m", source="m", prompt="chat")
    with pytest.raises(UserError, match=r"run.device is cuda.*no GPU.*device: cpu"):
        TransformersEngine(manifest, tmp_path, Running("cuda", 1, 1))


def test_out_of_memory_makes_the_batch_smaller_and_loses_nothing(engine, monkeypatch):
    made = engine("llama", batch_size=8)
    expected = [r.text for r in answers(made, requests())]
    decode = TransformersEngine._decode

    def small_memory(self, beginnings, read, size):
        for finished in decode(self, beginnings, read, size):
            yield finished  # some answers are there when memory runs out
            if size > 2:
                raise torch.OutOfMemoryError("too much")

    monkeypatch.setattr(TransformersEngine, "_decode", small_memory)
    assert [r.text for r in answers(made, requests())] == expected

    def no_memory(self, beginnings, read, size):
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


CPU_FULL = RuntimeError(
    "[enforce fail at alloc_cpu.cpp:127] DefaultCPUAllocator: can't allocate memory: you tried …"
)


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
        (
            RuntimeError("CUDA driver error: device not ready"),
            r"The GPU failed while llama was running: CUDA driver",
        ),
        (
            RuntimeError("CUDA error: CUBLAS_STATUS_EXECUTION_FAILED when calling `cublasGemmEx`"),
            "nvidia-smi",
        ),
    ],
)
def test_a_device_that_fails_is_one_message_and_earlier_answers_stay(engine, monkeypatch, error, message):
    made, decode, asked = engine("llama", batch_size=2), TransformersEngine._decode, requests()

    def failing(self, beginnings, read, size):
        yield next(decode(self, beginnings, read, size))
        raise error

    monkeypatch.setattr(TransformersEngine, "_decode", failing)
    coming = made.answer(asked[:4])
    assert next(coming)
    with pytest.raises(UserError, match=message):
        list(coming)


def test_a_fault_of_the_program_is_no_message_about_a_device(engine, monkeypatch):
    made = engine("llama")

    def broken(self, beginnings, read, size):
        raise RuntimeError("shape mismatch")

    monkeypatch.setattr(TransformersEngine, "_decode", broken)
    with pytest.raises(RuntimeError, match="shape mismatch"):
        answers(made, requests())


def test_a_model_too_large_for_the_device_is_said(engine, monkeypatch):
    def full(*arguments):
        raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 30.00 GiB.\nGPU 0 has …")

    monkeypatch.setattr("selfincorrect.engines.transformers.loading.load", full)
    with pytest.raises(
        UserError,
        match=r"llama does not fit into memory: CUDA out of memory. Tried to allocate 30.00 GiB\. Use",
    ):
        engine("llama")


@pytest.mark.parametrize("decoding", ["cascade", "plain"])
def test_told_to_stop_sequences_in_flight_are_finished_and_no_others_begin(engine, monkeypatch, decoding):
    made, asked = engine("llama", decoding=decoding, batch_size=4), requests(count=6, samples=2)
    expected = dict(zip(map(id, asked), (response.text for response in answers(made, asked)), strict=True))
    came = []
    for batch in made.answer(asked):
        came += batch
        monkeypatch.setattr("selfincorrect.jobs.stopping.requested", lambda: True)
    assert 4 <= len(came) <= 7, "those in flight, and those that had taken the place of ended ones"
    assert all(response.text == expected[id(request)] for request, response in came)
