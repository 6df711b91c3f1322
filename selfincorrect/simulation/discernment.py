"""Size, coverage and power of net, skill, evidence and contrasts, in worlds where skill is known."""

from collections import Counter
from collections.abc import Iterator
from math import log, sqrt

import numpy as np
import polars as pl

from selfincorrect.measure import hypothesis
from selfincorrect.measure.contrasts import sign_flip, two_sided_mcnemar
from selfincorrect.measure.intervals import interval
from selfincorrect.measure.net import net_of_position
from selfincorrect.measure.scores import Row, is_binary, is_mixed
from selfincorrect.measure.skill import evidence, skill_interval
from selfincorrect.simulation.pools import processes
from selfincorrect.simulation.worlds import WORLDS, Drawn, World, binary, even

EVIDENCE = "evidence, at any time"
TAKES_LUCK = "randomisation (takes luck for skill)"  # where positions have some: what net is for
MAY_BE_STRICT = (EVIDENCE, "contrast, McNemar mid-p", "contrast, sign flip")  # never too liberal, at a price
# With few mixed questions, where invalid outputs score the lowest, and where nothing is left to permute.
STRICT_WORLDS = ("40 questions", "a fifth invalid", "all on one position")
MOST, LEAST = 0.055, 0.03  # of tests at 5 %, beside two standard errors of the simulation
CHUNK = 250  # draws of a seed; results do not depend on how many processes there are


def net_row(world: World, drawn: Drawn, seed: int) -> Row:
    """The columns of net of one draw; empty for a chooser that sees no positions."""
    kept = np.flatnonzero(drawn.valid)
    return net_of_position(drawn.f[kept], drawn.w[kept], kept, seed) if world.slots else {}


def tests(world: World, drawn: Drawn, other: Drawn, net: Row) -> Iterator[tuple[str, float]]:
    """p-values of one draw; `other` is another chooser on the same pool. Evidence is given as 1/E."""
    f, c = drawn.f, drawn.chosen
    if world.fair:
        yield "randomisation", hypothesis.randomisation(f, c, drawn.ties)
        kept = drawn.valid
        yield "randomisation, worse", hypothesis.randomisation(-f[kept], -c[kept], drawn.ties[kept])
        yield EVIDENCE, float(np.exp(-_evidence(drawn)))
    else:
        yield TAKES_LUCK, hypothesis.randomisation(f, c, drawn.ties)
    if net:
        yield "net", net["p_net"]
        yield "net, worse", net["p_net_worse"]
    difference = c - other.chosen
    if is_binary(f) and drawn.ties.max() == other.ties.max() == 1:
        gained, lost = int((difference > 0).sum()), int((difference < 0).sum())
        yield "contrast, McNemar mid-p", two_sided_mcnemar(gained, lost)
    yield "contrast, sign flip", sign_flip(difference, np.arange(len(f)))


def intervals(
    world: World, drawn: Drawn, other: Drawn, net: Row, skill: float, truth: float
) -> Iterator[tuple[str, float, float, float]]:
    """Name, ends and truth of the 95 % intervals of one draw; `truth` is that of net."""
    f, c = drawn.f, drawn.chosen
    if net:
        yield "net", net["net_low"], net["net_high"], truth
    if world.fair and is_binary(f) and drawn.valid.all():
        found = skill_interval(f, c, drawn.ties)
        if found is not None:
            yield "skill", found.low, found.high, skill
    low, high = interval(c - other.chosen, np.arange(len(f)))
    yield "contrast", low, high, 0.0


def _evidence(drawn: Drawn) -> float:
    """The largest ln E on the way through the mixed questions."""
    mixed = is_mixed(drawn.f)
    best = drawn.f == drawn.f.max(axis=1, keepdims=True)
    return evidence((best * drawn.w).sum(axis=1)[mixed], best.sum(axis=1)[mixed], drawn.f.shape[1])[1]


def true_net(world: World, skill: float) -> float:
    """The expectation of net, from 400 seeded draws; 0 without skill."""
    if not skill or not world.slots:
        return 0.0
    rng, found = np.random.default_rng(0), []
    for _ in range(400):
        drawn = world.draw(rng, skill)
        f, w = drawn.f[drawn.valid], drawn.w[drawn.valid]
        found.append(((w - w.mean(axis=0)) * (f - f.mean(axis=0))).sum(axis=1).mean())
    return float(np.mean(found))


def _counted(
    name: str, skill: float, draws: int, seed: tuple[int, ...], truth: float
) -> Counter[tuple[str, str]]:
    """How often each test rejects and each interval holds, in `draws`."""
    world, rng, counts = WORLDS[name], np.random.default_rng(seed), Counter[tuple[str, str]]()
    for _ in range(draws):
        drawn = world.draw(rng, skill)
        other, net = world.draw(rng, skill, drawn.f), net_row(world, drawn, int(rng.integers(2**31)))
        for test, p in tests(world, drawn, other, net) if not skill else ():
            counts["test", test] += p <= hypothesis.ALPHA
        for what, low, high, true in intervals(world, drawn, other, net, skill, truth):
            if np.isnan(low):  # nothing varies: no interval is given
                continue
            counts["interval", what] += low <= true <= high
            counts["interval drawn", what] += 1
    return counts


def simulated(draws: int, seed: int, cores: int | None = None) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Rejections without skill, and coverage with skill 0 and 0.3, in every world.

    Rejections have columns `world`, `test`, `rejected`, `draws`, and `holds`: at most MOST, and at least
    LEAST but for tests that may be strict, each with two standard errors. Coverage has `world`, `interval`,
    `skill`, `covered`, `draws`.
    """
    jobs = []
    for place, (name, world) in enumerate(WORLDS.items()):
        for skill in (0.0, 0.3):
            truth, left = true_net(world, skill), max(round(draws * world.part), 1)
            for chunk, start in enumerate(range(0, left, CHUNK)):
                at = (seed, place, round(100 * skill), chunk)
                jobs.append((name, skill, min(CHUNK, left - start), at, truth))
    total: dict[tuple[str, float], Counter[tuple[str, str]]] = {}
    counted: Counter[tuple[str, float]] = Counter()
    with processes(cores) as pool:
        for (name, skill, count, *_), found in zip(
            jobs, pool.map(_counted, *zip(*jobs, strict=True)), strict=True
        ):
            total.setdefault((name, skill), Counter()).update(found)
            counted[name, skill] += count
    rejections: list[Row] = []
    coverage: list[Row] = []
    for (name, skill), counts in total.items():
        n = counted[name, skill]
        for (kind, what), count in counts.items():
            if kind == "test" and not skill:
                rejections.append({"world": name, "test": what, "rejected": count / n, "draws": n})
            if kind == "interval":
                drawn = counts["interval drawn", what]
                covered = {"covered": count / drawn, "draws": drawn}
                coverage.append({"world": name, "interval": what, "skill": skill, **covered})
    return pl.DataFrame([{**row, "holds": _holds(row)} for row in rejections]), pl.DataFrame(coverage)


def _holds(row: Row) -> bool | None:
    """Whether a test keeps its size; None of one that is known not to."""
    if row["test"] == TAKES_LUCK:
        return None
    error = 2 * sqrt(0.05 * 0.95 / row["draws"])
    strict = row["test"] in MAY_BE_STRICT or row["world"] in STRICT_WORLDS
    return bool(row["rejected"] <= MOST + error and (strict or row["rejected"] >= LEAST - error))


def powers(draws: int, seed: int, questions: int = 1319) -> pl.DataFrame:
    """How often net, randomisation and evidence find a skill of 0.1 and 0.2 among `questions`, 25 % mixed."""
    rows = []
    for skill in (0.1, 0.2):
        rng, found = np.random.default_rng((seed, round(100 * skill))), Counter[str]()
        world = World(lambda rng: binary(rng, questions, 0.25), even)
        for _ in range(draws):
            drawn = world.draw(rng, skill)
            for name, p in tests(world, drawn, drawn, net_row(world, drawn, 0)):
                found[name] += p <= hypothesis.ALPHA
        names = ("net", "randomisation", EVIDENCE)
        rows += [
            {"test": each, "skill": skill, "found": found[each] / draws, "draws": draws} for each in names
        ]
    return pl.DataFrame(rows)


def looks(draws: int, seed: int, questions: int = 1319, times: int = 26) -> pl.DataFrame:
    """How often a chooser without skill is called better at one of `times` looks at a growing run."""
    rng, found = np.random.default_rng(seed), Counter[str]()
    ends = np.linspace(0, questions, times + 1)[1:].astype(int)
    world = World(lambda rng: binary(rng, questions, 0.25), even)
    for _ in range(draws):
        drawn = world.draw(rng, 0.0)
        p = min(hypothesis.randomisation(drawn.f[:end], drawn.chosen[:end]) for end in ends)
        found["randomisation at each look"] += p <= hypothesis.ALPHA
        found[EVIDENCE] += _evidence(drawn) >= log(1 / hypothesis.ALPHA)
    return pl.DataFrame(
        [{"test": each, "better": count / draws, "draws": draws} for each, count in found.items()]
    )
