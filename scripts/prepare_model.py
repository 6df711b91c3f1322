"""Rule prepare_model: weights, tokenizer and manifest of one model."""

from pathlib import Path

from selfincorrect.io import write_json
from selfincorrect.jobs.job import job, log
from selfincorrect.models.prepare import ModelSettings, prepare_model

with job(snakemake):
    path = Path(snakemake.output[0])
    manifest = prepare_model(snakemake.wildcards.model, ModelSettings(**snakemake.params.slice), path.parent)
    log.info("%s: licence %s", manifest.name, manifest.license or "see the model's card")
    write_json(path, manifest.told())
