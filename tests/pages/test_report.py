"""The report in a browser: at two widths, light and dark, with and without scripts, on paper; its tables and
its viewer, by mouse and by keys; and texts that would like to be more than text.
"""

import base64
import csv
import gzip
import json
import re
import time
from itertools import product

import polars as pl
import pytest
import yaml

from selfincorrect.report.page.viewer import _packed
from tests.conftest import Workflow
from tests.pages.conftest import SIZES

HOSTILE = [
    "</script><script>alert(1)</script>",
    "<img src=x onerror=alert(2)>",
    "]]><!-- \u202eright to left\u2028 and a line {{ 7 * 7 }} ${8 * 8}",
]
WAYS = {
    "full": {},
    "shuffled": {"order": "permuted"},
    "likelihood": {"selector": "likelihood"},
    "vote": {"selector": "majority"},
    "nearest": {"selector": "centroid"},
}
pytestmark = pytest.mark.pages


@pytest.fixture(scope="session")
def run(tmp_path_factory):
    """Two scripted models on two tasks, one of them with hostile questions; both say hostile things."""
    made = Workflow(tmp_path_factory.mktemp("report"))
    texts = [f"Which is number {i}? {HOSTILE[i % 3]}" for i in range(30)]
    with open(made.folder / "quiz.csv", "w", newline="", encoding="utf-8") as file:
        rows = csv.writer(file)
        rows.writerow(["question", "answer"])
        rows.writerows([text, "Paris"] for text in texts)
    for name in ("one", "two"):
        rules = [
            {"match": "of the best answer", "answers": ["1", "2", HOSTILE[0]] if name == "one" else ["2"]},
            {"match": ".", "answers": ["Paris", "Rome", *HOSTILE], "logprob": -1.5},
        ]
        (made.folder / f"{name}.yaml").write_text(yaml.safe_dump({"rules": rules}))
    quiz = {"source": {"path": "quiz.csv"}, "question": "question", "answer": "answer", "grade": "aliases"}
    scripted = {"prompt": "completion", "engine": "scripted"}
    made.configure(
        models={name: scripted | {"source": f"./{name}.yaml"} for name in ("one", "two")},
        tasks={"capitals": {"limit": 60}, "quiz": quiz},
        k=[4],
        variants=WAYS,
    )
    made.run()
    return made


@pytest.fixture
def report(run):
    return run.path("report.html")


def rows_of(page, table):
    return page.locator(f"{table} tbody tr:visible")


def is_quiet(seen):
    assert seen.console == []
    assert seen.page.locator("img:not([src^='data:'])").count() == 0, "an image of a text"
    assert seen.page.evaluate("document.scripts.length") == seen.page.content().count("<script")


@pytest.mark.parametrize(("size", "scheme"), [*product(SIZES, ("light", "dark"))])
def test_the_first_screen_tells_the_finding_with_vote_and_oracle(visit, report, tmp_path, size, scheme):
    seen = visit(report, size, scheme)
    page, (width, height) = seen.page, SIZES[size]
    assert page.evaluate("document.documentElement.scrollWidth") == width, "something is cut"
    for what in ("h1", ".panel .vote", ".panel .best", ".panel svg circle"):
        box = page.locator(what).first.bounding_box()
        assert 0 <= box["y"] < box["y"] + box["height"] <= height, what
        assert 0 <= box["x"] < box["x"] + box["width"] <= width, what
    assert page.locator("h1").inner_text().startswith("Asked which of its 4 answers is best")
    ground = page.evaluate("getComputedStyle(document.body).backgroundColor")
    assert ground == {"light": "rgb(255, 255, 255)", "dark": "rgb(22, 22, 22)"}[scheme]
    page.screenshot(path=tmp_path / "first.png")
    assert (tmp_path / "first.png").stat().st_size > 15_000, "an empty page"
    is_quiet(seen)


def test_tables_are_sorted_and_filtered_by_keys_alone(visit, report):
    seen = visit(report)
    page = seen.page
    heading = page.locator("#results th", has_text="DG-Diff").locator("button")
    column = page.locator("#results th").all_inner_texts().index(heading.inner_text())

    def shown():
        cells = page.locator(f"#results tbody tr td:nth-child({column + 1})").all_inner_texts()
        return [float(text) for text in cells if text != "–"]

    before = shown()
    heading.focus()
    page.keyboard.press("Enter")
    assert shown() == sorted(before)
    page.keyboard.press("Enter")
    assert shown() == sorted(before, reverse=True)
    assert heading.locator("..").get_attribute("aria-sort") == "descending"
    page.locator("#results input").focus()
    page.keyboard.type("two quiz")
    assert rows_of(page, "#results").count() == len(WAYS)
    assert page.locator("#results .tools span").inner_text() == f"{len(WAYS)} of {4 * len(WAYS)} rows"
    page.locator("#results input").fill("no such row")
    assert rows_of(page, "#results").count() == 0
    is_quiet(seen)


def test_long_tables_are_folded_until_they_are_wanted_or_printed(visit, report):
    page = visit(report).page
    rows = page.locator("#contrasts tbody tr").count()
    assert rows > 25
    assert rows_of(page, "#contrasts").count() == 25
    page.locator("#contrasts .tools button").click()
    assert rows_of(page, "#contrasts").count() == rows
    page.locator("#contrasts .tools button").click()
    page.evaluate("dispatchEvent(new Event('beforeprint'))")
    page.emulate_media(media="print")
    assert rows_of(page, "#contrasts").count() == rows
    assert not page.locator("nav").is_visible()
    assert page.locator(".sample").is_visible()


def opened(visit, report, **settings):
    seen = visit(report, **settings)
    seen.page.locator("#questions").scroll_into_view_if_needed()
    seen.page.wait_for_selector(".detail h3")
    return seen


def choose(page, **wanted):
    """Set fields of the viewer by their labels, with _ for a blank."""
    for label, value in wanted.items():
        page.get_by_label(label.replace("_", " "), exact=True).select_option(label=value)


def listed(page):
    return int(page.locator(".viewer .tools span").inner_text().split()[0])


def choices_of(run, model, task):
    grades = run.table(f"{model}/{task}/grades.parquet").select("question_id", "sample", "grade")
    chosen = run.table(f"{model}/{task}/k4/choices.parquet").filter("valid", pl.col("shared").is_null())
    return chosen.join(grades, left_on=["question_id", "chosen_sample"], right_on=["question_id", "sample"])


def test_the_viewer_counts_what_the_tables_say(visit, report, run):
    page = opened(visit, report).page
    choose(page, Task="capitals", First_model="one", First_way="full, k = 4", Show="all")
    choose(page, Second_model="two", Second_way="shuffled, k = 4")
    assert listed(page) == 60
    grades = run.table("one/capitals/grades.parquet").group_by("question_id").agg(pl.col("grade").n_unique())
    choose(page, Show="mixed: something to choose")
    assert listed(page) == grades.filter(pl.col("grade") > 1).height > 0
    one = choices_of(run, "one", "capitals").filter(pl.col("variant") == "full")
    two = choices_of(run, "two", "capitals").filter(pl.col("variant") == "shuffled")
    both = one.join(two, on="question_id")
    choose(page, Show="the first pick is better")
    assert listed(page) == both.filter(pl.col("grade") > pl.col("grade_right")).height > 0
    choose(page, Show="the two picks differ in grade")
    assert listed(page) == both.filter(pl.col("grade") != pl.col("grade_right")).height
    # Side by side: each with its own candidates and pick.
    page.wait_for_function("document.querySelectorAll('.sides h4').length === 2")
    assert page.locator(".sides h4").all_inner_texts() == ["one", "two"]
    assert "full, k = 4" in page.locator(".sides section").nth(0).locator(".chip").all_inner_texts()
    assert "shuffled, k = 4" in page.locator(".sides section").nth(1).locator(".chip").all_inner_texts()
    choose(page, Second_model="one")
    page.wait_for_function("document.querySelectorAll('.sides h4').length === 1")
    assert page.locator(".sides h4").all_inner_texts() == ["one"]


def test_the_viewer_shows_what_was_sent_and_said_as_text(visit, report, run):
    seen = opened(visit, report, size="narrow")
    page = seen.page
    choose(page, Task="quiz", First_model="one", Show="all")
    page.get_by_label("Search").fill("number 3?")
    page.wait_for_function("document.querySelector('.detail pre').textContent.includes('number 3?')")
    name = page.locator(".detail h3").inner_text().split(" · ")[1]
    assert page.locator(".detail pre").first.inner_text().startswith(f"Which is number 3? {HOSTILE[0]}")
    pool = run.table("one/quiz/candidates.parquet").filter(pl.col("question_id") == name).sort("sample")
    said = page.locator(".sides table").first.locator("td:nth-child(2) > pre")
    assert [each.text_content() for each in said.all()] == pool["text"].to_list()
    page.locator("summary", has_text="Prompt of the candidates").click()
    sent = page.locator("details", has_text="Prompt of the candidates").locator("pre")
    assert sent.text_content() == pool["prompt"].item(0)
    chosen = run.table("one/quiz/k4/choices.parquet").filter(
        (pl.col("question_id") == name) & (pl.col("variant") == "full")
    )
    row = page.locator(".sides table").nth(1).locator("tbody tr").first
    row.locator("summary").click()
    assert row.locator("details pre").text_content() == chosen["prompt"].item()
    assert row.locator("td").nth(4).locator("pre").first.text_content() == chosen["output"].item()
    assert page.evaluate("document.documentElement.scrollWidth") == 390
    is_quiet(seen)


def test_questions_are_walked_through_by_keys(visit, report):
    seen = opened(visit, report)
    page = seen.page
    choose(page, Show="all")
    page.locator(".list button").first.click()
    before = page.locator(".detail h3").inner_text()
    page.keyboard.press("ArrowDown")
    page.wait_for_function("before => document.querySelector('.detail h3').innerText !== before", arg=before)
    assert page.evaluate("document.activeElement.getAttribute('aria-current')") == "true"
    page.keyboard.press("ArrowUp")
    page.wait_for_function("before => document.querySelector('.detail h3').innerText === before", arg=before)
    assert page.evaluate("getComputedStyle(document.activeElement).outlineStyle") == "solid"
    is_quiet(seen)


def test_without_scripts_everything_is_there_but_the_viewer(visit, report):
    page = visit(report, scripts=False).page
    assert rows_of(page, "#contrasts").count() > 25
    assert page.locator(".sample .question").count() == 10
    assert page.locator(".sample").is_visible()
    assert not page.locator(".viewer").is_visible()


def test_a_script_of_a_text_would_not_run(visit, report, tmp_path):
    """The page's policy refuses what its template might one day forget to escape."""
    text = report.read_text(encoding="utf-8")
    forged = tmp_path / "forged.html"
    evil = "<script>document.title = 'forged'</script>"
    evil += "<img src='http://127.0.0.1:9/x' onerror='document.title = 1'>"
    forged.write_text(text.replace("<main>", f"<main>{evil}", 1), encoding="utf-8")
    seen = visit(forged)
    assert seen.page.title().startswith("Asked which")
    assert len(seen.console) >= 2
    assert all("Content Security Policy" in line for line in seen.console)


def test_ten_thousand_questions_do_not_freeze_it(visit, report, tmp_path):
    page = report.read_text(encoding="utf-8")
    [packed] = re.findall(r'id="viewer-index">([^<]+)<', page)
    index = json.loads(gzip.decompress(base64.b64decode(packed)))
    index["rows"] = [
        [0, 0, i % 40, f"q{i}", f"Question {i}", bool(i % 2), index["rows"][0][6]] for i in range(10_000)
    ]
    large = tmp_path / "large.html"
    large.write_text(page.replace(packed, _packed(index)), encoding="utf-8")
    began = time.monotonic()
    seen = opened(visit, large)
    choose(seen.page, Show="all")
    assert seen.page.locator(".viewer .tools span").inner_text() == "10,000 questions, 1 to 200"
    seen.page.get_by_label("Search").fill("9999")
    assert listed(seen.page) == 1
    assert time.monotonic() - began < 5
    is_quiet(seen)
