# The checked configuration, before any rule is read. Imports nothing heavy: every cluster job reads this again.
import os
import shlex
import signal
import sys
import threading
from pathlib import Path
from queue import SimpleQueue

from snakemake.exceptions import WorkflowError

try:
    from selfincorrect.plan import resources as needs
    from selfincorrect.config import page_slices, slices
    from selfincorrect.jobs import stopping
except ModuleNotFoundError as error:
    raise WorkflowError(
        f"{error} in {sys.executable}. Run `make run` once and use .venv/bin/snakemake, or install what is missing: "
        f"pip install -r envs/requirements.txt && pip install -e '{workflow.basedir}'."
    ) from None
from selfincorrect.config.check.experiment import check, with_command_line
from selfincorrect.engines.registry import engine_kind
from selfincorrect.errors import UserError
from selfincorrect.report import TABLES
from selfincorrect.report.figures import NAMES as FIGURES
from selfincorrect.paper.published import PAPER_TABLES
from selfincorrect.sources.kinds import (
    Files,
    LocalFile,
    is_folder,
    is_gguf,
    model_files,
)

# For jobs: which Snakemake they end with. For environment.post-deploy.sh, of which Snakemake runs a copy elsewhere: the lock files.
os.environ.update(
    {
        stopping.SNAKEMAKE: stopping.identity(),
        "SELFINCORRECT_ENVS": str(Path(workflow.basedir, "envs")),
    }
)

# Snakemake writes the interpreter's path into its shell commands as it is, also where it holds spaces.
if not sys.executable.startswith("'"):
    sys.executable = shlex.quote(sys.executable)

try:
    config = with_command_line(config, workflow.config_settings.config)
    CONFIG = check(config)
except UserError as error:
    raise WorkflowError(str(error)) from None


# Before the first job, once: Snakemake's own error comes at every job and is a traceback.
onstart:
    # Snakemake's handler of SIGTERM waits for a lock that the thread it interrupts may hold, for ever (docs/decisions/sigterm.md):
    # a thread of its own calls it.
    told, end_gracefully = SimpleQueue(), signal.getsignal(signal.SIGTERM)
    if callable(end_gracefully):
        threading.Thread(
            target=lambda: [end_gracefully(*each) for each in iter(told.get, None)],
            name="SIGTERM",
            daemon=True,
        ).start()
        signal.signal(signal.SIGTERM, lambda *each: told.put(each))
    from selfincorrect.jobs.disk import check_writable

    try:
        check_writable(
            [
                Path("results"),
                Path("resources"),
                Path(CONFIG.run.store).expanduser(),
            ]
        )
    except UserError as error:
        raise WorkflowError(str(error)) from None


# With `--sdm apptainer` all jobs run in the image that SELFINCORRECT_IMAGE names: a file or docker://…, see envs/Containerfile.
if IMAGE := os.environ.get("SELFINCORRECT_IMAGE", ""):

    container: IMAGE

elif "apptainer" in map(str, workflow.deployment_settings.deployment_method):
    raise WorkflowError(
        "--sdm apptainer needs an image, and SELFINCORRECT_IMAGE is not set. Build one from envs/Containerfile and name "
        "it: SELFINCORRECT_IMAGE=/path/to/image.sif snakemake --sdm apptainer …"
    )


wildcard_constraints:
    model="|".join(CONFIG.models),
    task="|".join(CONFIG.tasks),
    k="|".join(map(str, CONFIG.k)),
    audited="|".join([*PAPER_TABLES, *CONFIG.audit]),
    shard=r"\d+",
