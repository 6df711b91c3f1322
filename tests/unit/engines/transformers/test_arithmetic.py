"""What the engine computes in its own way is what ordinary attention, products and draws give."""

import pytest
import torch
from transformers import AttentionInterface

from selfincorrect.engines.transformers import attention, cascade, fitting, levels, products, reading
from selfincorrect.engines.transformers.sampling import Sampler


def test_a_trial_finds_attention_that_does_more(engine, monkeypatch):
    made = engine("llama")
    made.model.set_attn_implementation("sdpa")
    attend = attention._attention

    def biased(*arguments, **named):
        result, nothing = attend(*arguments, **named)
        return (result if named.get("cascade") is None else result * 1.2), nothing

    AttentionInterface.register(attention.NAME, biased)
    layer = made.model.model.layers[0].mlp.down_proj
    before = layer.weight.to_dense()
    try:
        assert "a trial differs from its own attention" in fitting.fitted(made.model)
        assert made.model.config._attn_implementation == "sdpa", "left as it was"
        assert torch.equal(layer.weight, before)
    finally:
        AttentionInterface.register(attention.NAME, attend)
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
        (entered,) = together.enter(
            continued[3:], [2]
        )  # in the place of the one that left: 0, 2, 3, and two new ones
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


@pytest.mark.parametrize("window", [None, 4])
def test_reading_in_16_bits_is_reading_in_32_up_to_their_precision(window):
    draw = torch.Generator().manual_seed(3)

    def states(heads, *shape):
        return torch.randn(heads, *shape, 16, generator=draw)

    start, pair = torch.zeros(2, dtype=torch.long), (states(2, 2, 6), states(2, 2, 6))
    row = states(4, 8)[None], states(2, 8)[None], states(2, 8)[None]  # two prompts, of 3 and 5 tokens
    results = []
    for dtype in (torch.float32, torch.bfloat16):
        beginnings = levels.Level(start, torch.tensor([6, 2]), [(pair[0].to(dtype), pair[1].to(dtype))])
        how = reading.Reading([2, 6], [3, 5], beginnings, [1, 0])
        results.append(how.attend(0, *(each.to(dtype) for each in row), 0.25, window).float())
    assert results[0].shape == (1, 8, 4, 16)
    assert torch.allclose(*results, atol=0.03)
    assert not torch.allclose(results[0], results[0].roll(1, 1), atol=0.3), "all alike: nothing is tested"


@pytest.mark.parametrize(("dtype", "tolerance"), [(torch.float32, 1e-5), (torch.bfloat16, 3e-2)])
@pytest.mark.parametrize("bias", [True, False])
@pytest.mark.parametrize("tied", [True, False])
def test_products_by_onednn_are_the_same_products(dtype, tolerance, bias, tied):
    embedding, layer = torch.nn.Embedding(9000, 24).to(dtype), torch.nn.Linear(24, 9000, bias).to(dtype)
    if tied:
        layer.weight = embedding.weight
    model, weight = torch.nn.Sequential(embedding, layer), layer.weight
    model.device = torch.device("cpu")
    tokens = torch.randint(9000, (2, 3))
    with torch.no_grad():
        expected = model(tokens)
        products.sort_weights(model)
        if not products._offered(dtype):
            assert type(layer) is torch.nn.Linear
            pytest.skip(f"oneDNN has no sorted products in {dtype} on this CPU")
        assert type(layer) is (products._Parts if tied else products._Sorted)
        assert torch.allclose(model(tokens), expected, atol=tolerance)
        products.restore_weights(model)
    assert type(layer) is torch.nn.Linear
    assert (layer.weight is weight) if tied else torch.equal(layer.weight, weight)


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
