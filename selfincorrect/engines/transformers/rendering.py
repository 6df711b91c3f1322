"""Chat prompts as a model's own template writes them."""

import traceback
from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, tzinfo
from typing import Any
from unittest import mock

import jinja2
from transformers.utils import chat_template_utils

from selfincorrect.engines.prompt import Prompt
from selfincorrect.errors import UserError


class _SameDay(datetime):
    """A clock that stands still, for chat templates that tell the model the date.

    Were it the day of the run, a pool would mix prompts of two days.
    """

    @classmethod
    def now(cls, tz: tzinfo | None = None) -> "_SameDay":
        return cls(2024, 7, 26, tzinfo=tz)


def rendered(prompt: Prompt, tokenizer: Any, name: str, told: Mapping[str, Any] | None = None) -> str:
    """The text of a chat prompt for the model called `name`; the template is `told` what is configured.

    Raises UserError if the template fails.
    """
    try:
        with mock.patch.object(chat_template_utils, "datetime", _SameDay):
            primed = bool(prompt.primer)
            text: str = tokenizer.apply_chat_template(
                replace(prompt, begun="").messages(),
                add_generation_prompt=not primed,
                continue_final_message=primed,
                tokenize=False,
                **(told or {}),
            )
        return text + prompt.begun
    except Exception as error:  # a template can fail in every way that Python can
        frames = traceback.extract_tb(error.__traceback__)
        places = [frame.lineno for frame in frames if frame.filename == "<template>"]
        if not places and not isinstance(error, jinja2.TemplateError):
            raise
        line = getattr(error, "lineno", None) or next(reversed(places), None)
        where = f" at line {line}" if line else ""
        raise UserError(
            f"{name}: its chat template fails{where}: {error}\n"
            "Mend chat_template in the model's folder, or write `prompt: completion`."
        ) from error
