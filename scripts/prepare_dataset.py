"""Rule prepare_dataset: all questions of one task, in one schema."""

from pydantic import TypeAdapter

from selfincorrect.digest import digest
from selfincorrect.io import write_table
from selfincorrect.jobs.job import job, log
from selfincorrect.sources.kinds import Source
from selfincorrect.tasks.questions import load_questions, question_table
from selfincorrect.tasks.registry import get_task

with job(snakemake):
    settings = snakemake.params.slice["source"]
    source = TypeAdapter(Source).validate_python(settings)
    questions = load_questions(get_task(snakemake.wildcards.task), source)
    log.info("%d questions (licence: %s)", len(questions), source.license)
    data = digest([question.row() for question in questions])
    write_table(snakemake.output[0], question_table(questions), {"source": settings, "data": data})
