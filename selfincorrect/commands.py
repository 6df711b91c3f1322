"""The subcommands of `selfincorrect`: the module of each, and what it does; and the page of them."""

COMMANDS = {
    "run": ("terminal.run", "Run an experiment, and print its results table."),
    "new": ("config.new", "Write a commented configuration of a model and a task."),
    "estimate": ("terminal.run:estimate", "What a run will take: answers, tokens, cost, hours, disk."),
    "audit": ("terminal.run:audit", "Whether published p-values can come from published scores."),
    "show": ("report.show", "Print the results table of a run."),
    "compare": ("report.compare", "Two runs, or two models, variants or k of one, by what they chose."),
    "collect": ("report.collect", "The metrics of several runs in one table."),
    "export": ("report.export", "The choices of a run as samples of lm-evaluation-harness."),
    "findings": ("report.findings", "What a run says of ways of asking, as a page with figures."),
    "reproduce": ("record.reproduce", "Run a recorded run again in a new folder, and compare."),
    "store": ("models.store", "Check a response store."),
    "power": ("measure.power", "The smallest DG-Diff that a planned run can find."),
    "scale": ("plan.scale", "Plan an experiment on paper: jobs, GPU hours, wall time, disk."),
    "serve": ("cluster.with_server", "The same as with-server."),
    "with-server": ("cluster.with_server", "Run a command beside a model server that is a SLURM job."),
    "simulate": ("simulation.simulate", "Check tests, intervals and power on simulated pools."),
    "reference": (
        "reference",
        "Write the generated pages: schema and table of the configuration, columns of tables.",
    ),
}
"""By name: its module, perhaps with a function that is not `main`, and what it does."""

PAGE = """\
# The command

`selfincorrect` runs an experiment, and does what is useful before, beside and after it.
`selfincorrect <name> --help` has the arguments of each. `run`, `estimate` and `audit` give what they do not
know to Snakemake (`-n`, `--workflow-profile slurm`, names of targets).

| `selfincorrect …` | what it does |
| --- | --- |
{rows}

This page is generated (`make docs`) from the list of commands in the code.
"""


def commands_page() -> str:
    """The page of all commands."""
    return PAGE.format(rows="\n".join(f"| `{name}` | {what} |" for name, (_, what) in COMMANDS.items()))
