"""Rule prepare_model: weights, tokenizer and manifest of one model."""

from pathlib import Path

from selfincorrect.io import write_json
from selfincorrect.job import job, log
from selfincorrect.prepare import prepare_model

with job(snakemake):  # noqa: F821
    path = Path(snakemake.output[0])  # noqa: F821
    manifest = prepare_model(snakemake.wildcards.model, snakemake.params.slice, path.parent)  # noqa: F821
    log.info("%s: licence %s", manifest["name"], manifest.get("license", "see the model's card"))
    write_json(path, manifest)
