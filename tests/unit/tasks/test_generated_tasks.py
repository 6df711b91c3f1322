"""The tasks with our own questions: their data, and their graders on tables of cases worked out by hand."""

from random import Random

import pytest

from selfincorrect.tasks import acronym_generation, constrained_generation, sentiment_reversal, writing
from selfincorrect.tasks.base import Question
from selfincorrect.tasks.questions import load_questions
from selfincorrect.tasks.registry import get_task
from selfincorrect.tasks.templates import task_prompts

NAMES = ["acronym_generation", "constrained_generation", "sentiment_reversal"]
RIVER = Question("q", "q", "Words: river, stone, boat", ("", "river", "stone", "boat"))
BAKE = Question("q", "q", "Words: bake, party, stop", ("", "bake", "party", "stop"))
SHARE = Question(
    "q", "q", "Title: Solar Harvest and Rural Energy", ("SHARE", "Solar Harvest and Rural Energy")
)
SOUP = Question("q", "q", 'Review (keep the word "soup"): The soup was cold.', ("positive", "soup"))


def questions_of(name):
    return load_questions(get_task(name), get_task(name).SOURCES["table"])


@pytest.mark.parametrize("name", NAMES)
def test_data_is_complete_and_none_of_it_is_demonstrated(name):
    questions = questions_of(name)
    assert len(questions) == 60
    assert len({q.question_id for q in questions}) == len({q.question for q in questions}) == 60
    assert not {q.question for q in questions} & {d.question for d in task_prompts(name).demonstrations}


@pytest.mark.parametrize("name", ["acronym_generation", "constrained_generation"])
def test_first_references_are_right(name):
    task = get_task(name)
    for question in questions_of(name):
        assert task.grade(task.extract(question.references[0]), question) == 1, question


def test_word_lists_and_titles_are_of_the_sizes_stated():
    assert {len(q.references) - 1 for q in questions_of("constrained_generation")} == {3, 4, 5, 6}
    assert {len(q.references[1].split()) for q in questions_of("acronym_generation")} <= set(range(3, 8))


def test_reviews_have_the_sentiment_that_they_are_said_to_have():
    questions = questions_of("sentiment_reversal")
    assert sum(q.references[0] == "positive" for q in questions) == 30
    for question in questions:
        review = question.question.partition('"): ')[2]
        opposite = sentiment_reversal.OPPOSITE[question.references[0]]
        assert writing.occurs(question.references[1], review), question
        assert sentiment_reversal.sentiment(review) == opposite, question
        assert sentiment_reversal.sentiment(sentiment_reversal.extract(review)) == opposite, question


@pytest.mark.parametrize("name", NAMES)
def test_simplified_answers_are_wrong_and_depend_on_the_draw_alone(name):
    task, questions = get_task(name), questions_of(name)
    for question in questions:
        answers = [task.simplify(None, question, questions, Random(seed)) for seed in (1, 1, 2, 3, 4)]
        assert answers[0] == answers[1]
        assert len(set(answers)) > 1
        for answer in answers:
            assert task.trim(answer) == answer != ""
            assert task.grade(task.extract(answer), question) == 0


@pytest.mark.parametrize(
    ("text", "right", "share"),
    [
        ("A boat hit a stone in the river.", 1, 3),
        ("BOATS pass the River's stones.", 1, 3),
        ("The boat-house by the river is of stone.", 0, 2),
        ("A riverside path led to the stonemason's boatyard.", 0, 0),
        ("She was stoned on a boating trip along two rivers.", 1, 3),
        ("They threw a stone. Their boat left the river.", 0, 1),
        ("Mr. Reed threw a stone from his boat into the river.", 1, 3),
        ("“Stop!” cried Ann in the boat. A stone lay in the river.", 0, 1),
        ("A boat and a stone.\nThe river.", 0, 2),
        ("\n  A boat, a stone\tand a  river", 1, 3),
        ("boat boat boat", 0, 1),
        ("river_stone_boat", 1, 3),
        ("", 0, 0),
        (" \n", 0, 0),
    ],
)
def test_constrained_generation(text, right, share):
    extracted = constrained_generation.extract(text)
    assert constrained_generation.grade(extracted, RIVER) == right
    assert constrained_generation.coverage(extracted, RIVER) == pytest.approx(share / 3)


@pytest.mark.parametrize(
    ("text", "right"),
    [
        ("baking parties stopped", 1),
        ("bakes party stopping", 1),
        ("baked partying stops", 1),
        ("baker party stop", 0),
        ("bakeing partys stoped", 1),  # spelling is not judged
        ("bak party stop", 0),
        ("baked partied nonstop", 0),
        ("baked partied non-stop", 0),
    ],
)
def test_inflections(text, right):
    assert constrained_generation.grade(constrained_generation.extract(text), BAKE) == right


def test_short_words_have_no_forms_that_are_other_words():
    for word, other in [("car", "card"), ("car", "cares"), ("ten", "tend"), ("run", "ran"), ("sea", "seal")]:
        assert not writing.occurs(word, other)
    for word, other in [
        ("box", "boxes"),
        ("potato", "potatoes"),
        ("run", "running"),
        ("Day", "days"),
        ("wish", "wishes"),
    ]:
        assert writing.occurs(word, other)


def test_normal_forms_of_sentences():
    assert constrained_generation.extract("  The  BOAT’s\tsail. It tore.") == "the boat's sail."
    assert constrained_generation.extract("St. Ives has J. R. Hall. Next.") == "st. ives has j. r. hall."
    assert sentiment_reversal.extract("Good Soup. Nice!\nmore") == "good soup. nice!"
    assert [writing.form(text) for text in ("A  B", "")] == ["a b", ""]


@pytest.mark.parametrize(
    ("text", "extracted", "right"),
    [
        ("SHARE", "SHARE", 1),
        ("share", "SHARE", 1),
        ("**SHARE** is a good one", "SHARE", 1),
        ("The acronym is S.H.A.R.E.", "SHARE", 1),
        ("I suggest SHRE", "SHRE", 1),
        ("SOHAR", "SOHAR", 1),  # s, o of "Solar", then three initials
        ("SOLAR", "SOLAR", 1),  # of "Solar", "and" and "Rural"
        ("SOLV", "SOLV", 0),  # one initial only
        ("SE", "SE", 1),
        ("S", "S", 0),
        ("HARE", "HARE", 0),
        ("SERAH", "SERAH", 0),
        ("SHAPE", "SHAPE", 0),
        ("SHARE2", "SHARE2", 0),
        ("SH-RE", "SH-RE", 0),
        ("SOLARHARVEST", "SOLARHARVEST", 0),
        ("Sharing energy", "SHARING", 0),
        ("", None, 0),
        ("?!", None, 0),
    ],
)
def test_acronym_generation(text, extracted, right):
    assert acronym_generation.extract(text) == extracted
    assert acronym_generation.final(text) == (extracted or "")
    assert acronym_generation.grade(extracted, SHARE) == right


@pytest.mark.parametrize(
    ("text", "right"),
    [
        ("The soup was delicious and hot.", 1),
        ("Two wonderful SOUPS!", 1),
        ("The soup was horrible.", 0),
        ("The soup was not good.", 0),
        ("The soup stands on the table.", 0),
        ("The stew was delicious and hot.", 0),
        ("A delicious souper.", 0),
        ("The soup was cold.\nThe soup was delicious.", 0),
        ("", 0),
    ],
)
def test_sentiment_reversal(text, right):
    assert sentiment_reversal.grade(sentiment_reversal.extract(text), SOUP) == right


def test_sentiment_of_negative_wishes():
    wanted = Question("q", "q", "?", ("negative", "soup"))
    assert sentiment_reversal.grade("the soup was horrible.", wanted) == 1
    assert sentiment_reversal.grade("the soup was delicious.", wanted) == 0
    assert sentiment_reversal.grade("the soup was on the table.", wanted) == 0
    assert sentiment_reversal.sentiment("") == "neutral"
