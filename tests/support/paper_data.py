"""Small made-up data in the benchmarks' own schemas, and a scripted model for every setting of the paper."""

import json
from pathlib import Path
from typing import Any

import yaml

GSM8K = [
    {"question": f"Tom has {i} apples and buys 2. How many?", "answer": f"{i} + 2 = {i + 2}\n#### {i + 2}"}
    for i in range(6)
]
TRIVIAQA = [
    {
        "question_id": f"tv_{i}",
        "question": f"Which town has river {i}?",
        "answer": {"value": name, "aliases": [name], "normalized_aliases": [name.lower()]},
    }
    for i, name in enumerate(["Paris", "Rome", "Vienna", "Prague"])
]
TRUTHFULQA = [
    {
        "question": f"Is myth {i} true?",
        "best_answer": f"No, myth {i} is a story",
        "correct_answers": ["No, it is a myth", ""],
        "incorrect_answers": ["Yes, it is true", ""],
    }
    for i in range(5)
]
QUESTIONS = [
    {"question_id": 81 + i, "category": category, "turns": [f"Ask {i}, turn one?", f"Ask {i}, turn two?"]}
    for i, category in enumerate(["writing", "math", "coding"])
]
REFERENCES = [{"question_id": 82, "choices": [{"turns": ["Reference one.", "Reference two."]}]}]
PROMPTS = [
    {"name": name, "system_prompt": "You are a judge.", "prompt_template": template}
    for name, template in {
        "single-v1": "RATE {question} / {answer}",
        "single-math-v1": "RATE {question} / {ref_answer_1} / {answer}",
        "single-v1-multi-turn": "RATE {question_1} / {answer_1} / {question_2} / {answer_2}",
        "single-math-v1-multi-turn": "RATE {question_1} / {ref_answer_1} / {question_2} / {ref_answer_2} "
        "/ {answer_1} / {answer_2}",
    }.items()
]
SCRIPT: dict[str, Any] = {
    "rules": [
        {"match": "^RATE", "answers": ["Rating: [[7]]", "Fine. [[3]]", "I like it.", "[9]"]},
        {"match": "(True|Helpful):$", "answers": ["yes", "no", "yes"], "logprob": -0.1},
        {"match": "Score:$", "answers": ["7", "8/10", "9", "hard to say"]},
        {"match": "Feedback:$", "answers": ["It is wrong.", "It is fine."]},
        {"match": "Better sentence:$", "answers": ["A better sentence.", "Another sentence."]},
        {"match": "Better .*:$", "answers": ["Better.\n#### 4", "Paris", "#### 5"]},
        {"match": "(Number|Letter) of the best", "answers": ["1", "2", "The best is 3.", "none"]},
        {
            "match": "word for word:$",
            "answers": ["Paris", "No, it is a myth", "So 4.\n#### 4", "something else"],
        },
        {"match": "Which .* is best", "answers": ["All wrong.\n### 1", "### 2", "###\nParis", "### 4"]},
        {"match": "User: .*Assistant:$", "answers": ["A fine answer.", "Another answer.", "No."]},
        {"match": "apples", "answers": ["So 4.\n#### 4", "#### 5", "It is 2.\n#### 2", "#### 7"]},
        {"match": "myth", "answers": ["No, it is a myth", "Yes, it is true", "Nobody knows"]},
        {"match": "", "answers": ["Paris", "Rome", "Vienna", "<b>Prague</b>"]},
    ]
}


def write(folder: Path) -> dict[str, Any]:
    """Write the data and the script to `folder`; return a configuration of every setting of the paper."""
    files = {"gsm8k": GSM8K, "triviaqa": TRIVIAQA, "truthfulqa": TRUTHFULQA}
    files |= {"questions": QUESTIONS, "references": REFERENCES, "prompts": PROMPTS}
    for name, rows in files.items():
        (folder / f"{name}.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    (folder / "script.yaml").write_text(yaml.safe_dump(SCRIPT))
    scripted = {"source": "./script.yaml", "prompt": "completion", "engine": "scripted"}
    several = {name: {"path": f"./{name}.jsonl"} for name in ("questions", "references", "prompts")}
    return {
        "models": {
            "llama": scripted | {"published": "LLaMA-2 7B Chat"},
            "other": scripted | {"prompt": "chat", "tasks": ["gsm8k", "mt_bench"]},
            "judge": scripted | {"tasks": []},
        },
        "tasks": {
            "gsm8k": {"source": {"path": "./gsm8k.jsonl"}},
            "triviaqa": {"source": {"path": "./triviaqa.jsonl"}},
            "truthfulqa": {
                "source": {"path": "./truthfulqa.jsonl"},
                "judges": {"truth": "judge", "info": "judge"},
            },
            "mt_bench": {"source": {"files": several}, "judges": {"judge": "other"}, "shards": 2},
            "constrained_generation": {"limit": 4},
            "acronym_generation": {"limit": 4},
            "sentiment_reversal": {"limit": 4},
        },
        "sampling": {"n": 4},
        "k": [4],
        "variants": {
            "full": {},
            "icl-2x": {"shots": 2},
            "icl-3x": {"shots": 3},
            "cot": {"rationale": True},
            "verbatim": {"answer": "text"},
            "score": {"selector": "score"},
            "wording-2": {"wording": 2},
            "wording-3": {"wording": 3},
            "simplified": {"distractors": "easy"},
            "final": {"candidates": "final", "tasks": ["gsm8k"]},
            "vote": {"selector": "majority"},
        },
        "refinement": {"rounds": 2},
        "run": {"device": "cpu", "threads": 1},
    }
