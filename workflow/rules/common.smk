# The checked configuration, before any rule is read. Imports nothing heavy: every cluster job reads this again.
from snakemake.exceptions import WorkflowError

from selfincorrect import slices
from selfincorrect.config_check import check, with_command_line
from selfincorrect.errors import UserError
from selfincorrect.figures import NAMES as FIGURES

try:
    config = with_command_line(config, workflow.config_settings.config)
    CONFIG = check(config)
except UserError as error:
    raise WorkflowError(str(error)) from None


wildcard_constraints:
    model="|".join(CONFIG.models),
    task="|".join(CONFIG.tasks),
    k="|".join(map(str, CONFIG.k)),
    shard=r"\d+",
    figure="|".join(FIGURES),
