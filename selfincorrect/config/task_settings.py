"""What stages that ask are told of a task, with the task's own defaults where the configuration is silent."""

from selfincorrect.config.schema import Config
from selfincorrect.discriminate.view import AskingSettings, Drawing
from selfincorrect.tasks.registry import get_task
from selfincorrect.tasks.templates import task_prompts


class TaskSettings(AskingSettings):
    """A task's settings with its own defaults filled in."""

    limit: int | None


def task_settings(config: Config, task: str) -> TaskSettings:
    """The settings of a configured task."""
    settings, module = config.tasks[task], get_task(task)
    shots = module.SHOTS if settings.shots is None else settings.shots
    return TaskSettings(
        seed=config.seed,
        limit=settings.limit,
        shots=min(shots, len(task_prompts(task).demonstrations)),
        answer_tokens=settings.answer_tokens or module.ANSWER_TOKENS,
        choice_tokens=settings.choice_tokens or module.CHOICE_TOKENS,
        drawing=Drawing(temperature=config.sampling.temperature, top_p=config.sampling.top_p),
    )
