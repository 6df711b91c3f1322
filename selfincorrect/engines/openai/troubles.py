"""Calls that brought no answer: what servers say of why, in their many spellings."""

import json
import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

from selfincorrect.engines.requests import CONTEXT, ERROR, FILTERED, LARGEST

# Parameters that a server may refuse, as its message names them. `n` is a letter too: it counts only where it
# reads as a name.
DEEPEST = 8  # errors inside of errors
_PENALTIES = ("repetition_penalty", "repeat_penalty")
_WORDS = ("logprobs", "logprob_token_ids", "seed", "top_p", "max_tokens", "stop", "top_k", "min_p")
NAMED = {name: rf"\b{name}\b" for name in (*_WORDS, *_PENALTIES)} | {
    "n": r"""['"`]n['"`]|\bn\s*(=|<|>|must|is |should|not |greater|parameter)|parameter:? n\b"""
}
# Where a refusal goes on to list what it would take.
_TAKES = re.compile(
    r"(?<!un)(?<!not )(?<!in)\b(?:supported|allowed|valid|permitted|accepted|known)\b"
    r"(?!\s+(?:by|for|in|with|on)\b)|must be one of|expected one of",
    re.IGNORECASE,
)
_TOO_LONG = re.compile(
    r"context[ _-]?(?:length|window|size|limit)|input length should be|"
    r"(?:maximum|max) (?:input|prompt) length|tokens_limit_reached|too many tokens|"
    r"(?:prompt|input)[^.]{0,40}(?:is |are )?too long|tokens \+ `max_new_tokens|"
    r"longer than the (?:maximum )?(?:model|context)|maximum prompt length|`?inputs`? must have less than|"
    r"exceeds? .{0,40}\btokens|\btokens?\b .{0,40}exceeds?\b|"
    r"reduce the length of the (?:messages|prompt|input)",
    re.IGNORECASE,
)
# What sounds like a long prompt and is none: a pace or an account, or the longest answer alone.
_PACE = re.compile(r"quota|billing|credit|rate.?limit|per.?(?:minute|day|second)|\bTPM\b", re.IGNORECASE)
_LIMIT = re.compile(
    r"(?<!\+ `)(?<!\+ )\b['`]?max_(?:completion_|new_|output_)?tokens[`'\"]?(?: or '\w+')?[^.]{0,30}"
    r"(?:too large|must be|at most|exceeds?|invalid|greater|less)",
    re.IGNORECASE,
)
_LONGEST = re.compile(
    r"(?:context (?:length|window|size)|model length|prompt length|maximum)\D{0,40}(\d{2,9})\b", re.IGNORECASE
)
_PROMPT_TOKENS = [
    r"context limit: (\d{1,9}) \+",
    r"(?:request|prompt length|input) \((\d{1,9})(?: tokens)?\)",
    r"\b(\d{1,9}) (?:tokens )?in (?:the|your) (?:messages|prompt)",
    r"\b(\d{1,9}) (?:input|prompt) tokens",
    r"(?:resulted in|contains(?: at least)?|given:) (\d{1,9}) (?:`inputs` |input )?tokens",
    r"(?:requested|has) (\d{1,9}) tokens",
    r"\(length (\d{1,9})\)",
    r"token count \((\d{1,9})\)",
    r"given: (\d{1,9})\b",
    r"too long: (\d{1,9}) tokens",
    r"\b(\d{1,9}) tokens ?[)>]",
]
_CLOSED = re.compile(
    r"\b(?:account|access|organi[sz]ation|api.?key|subscription)\b[^.]{0,40}"
    r"\b(?:terminated|suspended|deactivated|disabled|banned)",
    re.IGNORECASE,
)
_FILTER = re.compile(
    r"content[ _-]?(?:filter|policy|management|moderation)|responsible ?ai|moderation|flagged|"
    r"safety (?:system|filter|setting)|violat\w+ .{0,40}(?:polic|guideline)|usage guidelines|safety_check|"
    r"content exists risk|data_inspection|inappropriate content|"
    r"sensitive (?:content|information|words?|data)",
    re.IGNORECASE,
)


@dataclass(frozen=True)
class Missing:
    """There is no answer, for a `reason` of `engines.requests.NO_ANSWER`.

    `tokens_in` is None where the server does not say.
    """

    reason: str
    said: str
    tokens_in: int | None = None


@dataclass(frozen=True)
class Trouble:
    """A call that brought nothing.

    `status` is None if no whole response came; `said` are the server's words; `paid` are tokens in and out
    that it bills all the same.
    """

    status: int | None
    said: str
    body: Any = None
    retry_after: float | None = None
    paid: tuple[int, int] = (0, 0)

    @property
    def told(self) -> str:
        """What happened, for a message."""
        return f"{self.status} {self.said}".strip() if self.status else self.said

    @property
    def passing(self) -> bool:
        """Whether the same call may succeed later."""
        passing = self.status is None or self.status in (408, 409, 429) or self.status >= 500
        return passing and not self.spent

    @property
    def spent(self) -> bool:
        """Whether the account has nothing left, which no question is to blame for."""
        code = self.body.get("code") if isinstance(self.body, Mapping) else None
        closed = code in ("insufficient_quota", "billing_hard_limit_reached", "access_terminated")
        return closed or self.status == 402 or bool(_CLOSED.search(self.said))

    @property
    def general(self) -> bool:
        """Whether every call would meet it: a wrong key, an unknown model, a used-up account, a redirect."""
        redirected = self.status is not None and 300 <= self.status < 400
        return redirected or self.status in (401, 403, 404, 405) or self.spent


def message_of(body: Any, depth: int = DEEPEST) -> str:
    """The words in an error's body, whatever the server calls them."""
    names = ("message", "detail", "error", "error_description")
    inner = [body[name] for name in names if body.get(name)] if isinstance(body, Mapping) else []
    if inner and depth:
        return message_of(inner[0], depth - 1)
    try:
        return body if isinstance(body, str) else json.dumps(body, ensure_ascii=False, default=str)
    except RecursionError:
        return "an error too deep to be read"


def _param(trouble: Trouble) -> str | None:
    """The parameter that a server names as wrong, where it does so in a field of its own."""
    named = trouble.body.get("param") if isinstance(trouble.body, Mapping) else None
    return named if isinstance(named, str) else None


def reason_of(trouble: Trouble, sent: Mapping[str, Any]) -> Missing | None:
    """Why the question of a call that `sent` this has no answer.

    It is None unless `trouble` is about that question and nothing else.
    """
    body = trouble.body if isinstance(trouble.body, Mapping) else {}
    coded = f"{body.get('code')} {body.get('type')}"
    if trouble.status in (400, 403, 422, 451) and (_FILTER.search(trouble.said) or _FILTER.search(coded)):
        return Missing(FILTERED, trouble.said)
    if trouble.status == 413:  # this one request is too large: for the model, or for the account
        reason = ERROR if _PACE.search(trouble.said) else CONTEXT
        return Missing(reason, trouble.said, _prompt_tokens(trouble))
    if trouble.status not in (400, 422) or wrong_limit(trouble, sent):
        return None
    if "context" not in coded and not _TOO_LONG.search(trouble.said):
        return None
    return Missing(CONTEXT, trouble.said, _prompt_tokens(trouble))


def _prompt_tokens(trouble: Trouble) -> int | None:
    counted = trouble.body.get("n_prompt_tokens") if isinstance(trouble.body, Mapping) else None
    if type(counted) is int and 0 < counted < LARGEST:
        return counted
    found = (re.search(pattern, trouble.said, re.IGNORECASE) for pattern in _PROMPT_TOKENS)
    return next((int(match[1]) for match in found if match), None)


def wrong_limit(trouble: Trouble, sent: Mapping[str, Any]) -> bool:
    """Whether a server refuses something else than the prompt.

    That is the longest answer that is asked for, the pace, or the account.
    """
    if trouble.status not in (400, 422):
        return False
    counted = _prompt_tokens(trouble)
    longest, asked = _LONGEST.search(trouble.said), sent.get("max_tokens", sent.get("max_completion_tokens"))
    if _PACE.search(trouble.said):
        return True
    if longest and isinstance(asked, int) and asked >= int(longest[1]) > (counted or 0):
        return True
    limit = _param(trouble) in ("max_tokens", "max_completion_tokens") or bool(_LIMIT.search(trouble.said))
    return limit and counted is None


def refused(
    trouble: Trouble, sent: Mapping[str, Any], wanted: Collection[str] = ()
) -> tuple[list[str], list[str]]:
    """The parameters of `sent` that a server says it does not take.

    First those one can do without, then those one cannot, such as those `wanted` by the user.
    """
    if trouble.status not in (400, 422):
        return [], []
    named = _param(trouble)
    words = _TAKES.split(trouble.said, maxsplit=1)[0]
    spelt = [name for name, spelling in NAMED.items() if re.search(spelling, words)]
    can_do_without = {"top_p": sent.get("top_p") == 1.0, "max_tokens": "messages" in sent}
    names = [name for name in ([named] if named in NAMED else spelt) if name in sent]
    without = [name for name in names if name not in wanted and can_do_without.get(name, True)]
    return without, [name for name in names if name not in without]
