"""What is asked about k candidates in a view: prompts, demonstrations and decoding."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial
from itertools import zip_longest
from random import Random

from selfincorrect.digest import seed_of
from selfincorrect.discriminate.asked import Asked, Part, Shown
from selfincorrect.discriminate.orders import decided, stands_of
from selfincorrect.discriminate.selectors.registry import asking
from selfincorrect.discriminate.view import NO_ANSWER, Drawing, View
from selfincorrect.engines.prompt import Prompt, Turns
from selfincorrect.engines.requests import SCORED, Decoding, Request
from selfincorrect.tasks.base import Question, scored
from selfincorrect.tasks.conversations import Candidate, Conversation, Pool
from selfincorrect.tasks.generation import generation_prompt
from selfincorrect.tasks.templates import Demonstration, DemonstrationAnswer, conversation, replies

LABEL_TOKENS = 8  # the longest output that is a bare label or score


def right_positions(shots: int, k: int) -> list[int]:
    """Where the right answer stands in each demonstration: every position equally often, up to one.

    Upper and lower positions take turns (labels 3, 1, 4, 2, 3, … for k = 4): small models go on counting
    where the labels of the demonstrations ascend, and answer 3 after 1, 2.
    """
    upper, lower = range(k // 2, k), range(k // 2)
    turns = [place for pair in zip_longest(upper, lower) for place in pair if place is not None]
    return [turns[shot % k] for shot in range(shots)]


def discriminations(questions: Sequence[Question], pool: Pool, view: View) -> list[Asked]:
    """What is asked about each question: requests about its k candidates or some of them each."""
    selector, forms = asking(view.variant), dict[int, _Form]()
    candidates = {each.question_id: pool[each.question_id][: view.k] for each in questions}
    policy = view.variant.ask or selector.policy
    stands = {name: stands_of(each, view.variant.distinct) for name, each in candidates.items()}
    # What one sample stands for is decided too.
    asked = {
        name: sorted(set(each))
        for name, each in stands.items()
        if len(set(each)) > 1 and not (policy == "undecided" and decided(candidates[name]))
    }
    orders = selector.orders(view, asked)

    def shown(question: Question, order: tuple[int, ...]) -> Shown:
        if selector.continues:
            return _continued(question, candidates[question.question_id], order, view)
        count = selector.labelled(view.k, len(order))
        if count not in forms:
            forms[count] = _Form.of(view.showing(count))
        texts = _shown(question, candidates[question.question_id], order, view)
        drawn = range(selector.samples(view.variant))
        wanted = selector.parts(view, question, texts)
        parts = [(part, draw) for part in wanted for draw in drawn]
        requests = []
        for part, draw in parts:
            samples = [order[slot] for slot in part.slots]
            if len(samples) == 1:  # the same text alone is asked about once
                samples = [order[texts.index(texts[part.slots[0]])]]
            seed = seed_of("choice", view.settings.seed, question.question_id, *samples, draw)
            requests.append(forms[count].request(question, texts, part, seed if len(drawn) > 1 else None))
        return Shown(order, tuple(texts), tuple(requests), tuple(part for part, _ in parts))

    return [
        Asked(
            question,
            tuple(shown(question, order) for order in orders.get(question.question_id, ())),
            stands[question.question_id],
        )
        for question in questions
    ]


def further(asked: Sequence[Asked], parts: Sequence[Sequence[Part]], view: View) -> list[Asked]:
    """`asked` with requests about `parts` more of each, in the one order that shows its candidates."""
    if not any(parts):
        return list(asked)
    form = _Form.of(view.showing(asking(view.variant).labelled(view.k, view.k)))
    made = []
    for each, wanted in zip(asked, parts, strict=True):
        shown = each.shown
        if wanted:
            requests = [form.request(each.question, shown[0].texts, part, None) for part in wanted]
            more = replace(
                shown[0], requests=(*shown[0].requests, *requests), parts=(*shown[0].parts, *wanted)
            )
            shown = (more,)
        made.append(replace(each, shown=shown))
    return made


def _continued(
    question: Question, candidates: Sequence[Candidate], order: tuple[int, ...], view: View
) -> Shown:
    """Each candidate as the answer that the prompt of generation asks for, every turn after those before."""
    turns = question.turns if isinstance(question, Conversation) else (question,)
    texts: list[str] = []
    requests: list[Request] = []
    for sample in order:
        said = candidates[sample].turns or (candidates[sample].text,)
        texts.append(NO_ANSWER if None in said else candidates[sample].text or NO_ANSWER)
        history: Turns = ()
        for turn, text in zip(turns, said, strict=True):
            prompt = generation_prompt(turn, view.prompts, view.settings.shots, history)
            requests.append(Request(prompt, SCORED, None, (text or NO_ANSWER,)))
            history = (*history, (prompt.query, view.task.trim(text or "")))
    parts = tuple(Part((slot,)) for slot in range(len(order)) for _ in turns)
    return Shown(order, tuple(texts), tuple(requests), parts)


@dataclass(frozen=True)
class _Form:
    """What requests with the same number of labels share."""

    view: View
    instruction: str
    shots: Turns
    decoding: Decoding
    options: tuple[str, ...]
    ended: tuple[str, ...]

    @classmethod
    def of(cls, view: View) -> "_Form":
        selector = asking(view.variant)
        options = selector.scored(view)
        decoding = SCORED if options else decoding_of(view)
        shots = demonstrations_of(view)
        framing = replies().framings.get(view.variant.framing, "").format(**view.words())
        instruction = f"{selector.instruction(view)} {framing}".rstrip()
        return cls(view, instruction, shots, decoding, options, selector.ended(view))

    def request(self, question: Question, texts: Sequence[str], part: Part, seed: int | None) -> Request:
        query = _query(question.question, texts, part, self.view)
        prompt = Prompt(self.instruction, self.shots, query)
        return Request(prompt, self.decoding, seed, self.options, self.ended)


def decoding_of(view: View) -> Decoding:
    """How the outputs of a view are decoded: greedily, or drawn where there are several, with its limit and
    its stop string.
    """
    longest = view.settings.choice_tokens
    rationale = asking(view.variant).rationale(view)
    tokens = longest if rationale else min(LABEL_TOKENS, longest)
    bare = not rationale  # one line: a label, a score, or a text that is one
    if view.variant.answer == "text":
        tokens += view.settings.answer_tokens * len(view.prompts.demonstrations[0].turns())
        bare &= not view.template.lines
    drawing, stop = drawing_of(view), ("\n",) if bare else (view.template.opens,)
    if drawing is None:
        return Decoding(tokens, 0.0, 1.0, stop)
    return Decoding(tokens, drawing.temperature, drawing.top_p, stop)


def drawing_of(view: View) -> Drawing | None:
    """How the outputs of a view are drawn; None where each is the one of greedy decoding."""
    return view.settings.drawing if asking(view.variant).samples(view.variant) > 1 else None


def _shown(
    question: Question, candidates: Sequence[Candidate], order: Sequence[int], view: View
) -> list[str]:
    """The texts of candidates, in `order`, as the variant shows them."""
    grades = [candidates[sample].grade for sample in order]
    best = max((grade for grade in grades if grade is not None), default=0.0)
    final = asking(view.variant).final or view.shown_as == "final"
    shown = []
    for sample, grade in zip(order, grades, strict=True):
        candidate = candidates[sample]
        # On scored tasks every candidate below the best is a distractor.
        wrong = grade is not None and (grade == 0 or (scored(view.task) and grade < best))
        if view.variant.distractors == "easy" and wrong:
            # One stream per candidate: what replaces it does not depend on k, the order, or the other
            # candidates.
            draw = Random(seed_of("easy", view.settings.seed, question.question_id, sample))
            text = view.task.simplify(candidate.extracted, question, view.others, draw)
        else:
            show = view.task.final if final else view.task.trim
            text = show(candidate.text or "")
            if view.variant.show == "thoughts" and candidate.thought:
                text = f"{candidate.thought}\n\n{text}"
        shown.append(text or NO_ANSWER)
    return shown


def _query(question: str, shown: Sequence[str], part: Part, view: View) -> str:
    template, selector = view.template, asking(view.variant)
    candidates, cue = selector.listed(view, shown, part), selector.reply(view).cue.format(**view.words())
    asked = selector.question(view, question, part.form)
    return f"{template.query.format(question=asked, candidates=candidates)}\n{cue}"


def demonstrations_of(view: View) -> Turns:
    """The solved examples, query and response, with the right answer at `right_positions`."""
    count = view.settings.shots * view.variant.shots
    shots = []
    for index, position in enumerate(right_positions(count, view.k)):
        demonstration = view.prompts.demonstrations[index]
        answers = _answers(demonstration, position, view.k)
        reference = view.task.extract(demonstration.right.text) or demonstration.right.text
        question = Question(f"demonstration-{index}", "", conversation(demonstration.turns()), (reference,))
        candidates = [
            Candidate(conversation(each.turns()), view.task.extract(each.text), float(place == position))
            for place, each in enumerate(answers)
        ]
        shown = _shown(question, candidates, range(view.k), view)
        reasons = partial(_reasons, demonstration, answers, position, view)
        part, response = asking(view.variant).demonstrated(view, index, position, shown, reasons)
        shots.append((_query(question.question, shown, part, view), response))
    return tuple(shots)


def _reasons(
    demonstration: Demonstration,
    answers: Sequence[DemonstrationAnswer],
    position: int,
    view: View,
    place: int | None = None,
) -> str:
    """What a demonstration says before it chooses the answer at `position`, or of that at `place` alone."""
    if place is not None:
        return replies().alone.format(**view.words(), remark=answers[place].remark)
    if view.template.reasons == "working":
        return demonstration.right.text.rsplit("\n", 1)[0]
    noun, easy = view.words()["Noun"], view.variant.distractors == "easy"
    form, pairs = replies(), zip(view.labels, answers, strict=True)
    remarks = [
        (label, form.easy_remark if easy and place != position else answer.remark)
        for place, (label, answer) in enumerate(pairs)
    ]
    return "\n".join(form.remark.format(Noun=noun, label=label, remark=remark) for label, remark in remarks)


def _answers(demonstration: Demonstration, position: int, k: int) -> list[DemonstrationAnswer]:
    """The k answers of a demonstration, with the right one at `position`.

    Wrong ones repeat if there are too few, as in real pools.
    """
    wrong = demonstration.wrong
    answers = [wrong[place % len(wrong)] for place in range(k - 1)]
    answers.insert(position, demonstration.right)
    return answers
