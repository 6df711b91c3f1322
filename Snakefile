"""Measure whether a language model picks better among its own answers than it generates."""

from pathlib import Path

from snakemake.utils import min_version

min_version("9.14")

# Only when no other experiment is named: Snakemake would merge the two, and these models would be run as well.
if not workflow.configfiles:

    configfile: Path(workflow.basedir, "config.yaml").as_posix()


include: "workflow/rules/common.smk"
include: "workflow/rules/paths.smk"
include: "workflow/rules/inputs.smk"
include: "workflow/rules/resources.smk"
include: "workflow/rules/models.smk"
include: "workflow/rules/tasks.smk"
include: "workflow/rules/generate.smk"
include: "workflow/rules/grade.smk"
include: "workflow/rules/pools.smk"
include: "workflow/rules/discriminate.smk"
include: "workflow/rules/refine.smk"
include: "workflow/rules/measure.smk"
include: "workflow/rules/paper.smk"
include: "workflow/rules/report.smk"
include: "workflow/rules/plan.smk"


# prepare -> generate -> collect -> grade -> discriminate -> measure -> tables, figures, report
rule all:
    default_target: True
    input:
        # Named although the tables need them: Snakemake does not miss a deleted file between two that are there.
        ALL_CANDIDATES,
        ALL_GRADES,
        ALL_CHOICES,
        ALL_METRICS,
        ALL_GRADINGS,
        all_refined(REFINEMENT),
        rules.tables.output,
        FIGURE_FILES,
        rules.paper.output,
        REPORT,
        RECORD,


# What needs a network: models and data sets, before jobs go where there is none.
rule prepare_all:
    input:
        all_manifests,
        all_datasets,


rule tables_only:
    input:
        rules.tables.output,


rule figures_only:
    input:
        FIGURE_FILES,


rule report_only:
    input:
        REPORT,
