# Every path of the workflow, once.
MANIFEST = "resources/models/{model}/manifest.json"
DATASET = "resources/datasets/{task}.parquet"
SHARD = "results/{model}/{task}/candidates/{shard}.parquet"
CANDIDATES = "results/{model}/{task}/candidates.parquet"
GRADES = "results/{model}/{task}/grades.parquet"
CHOICES = "results/{model}/{task}/k{k}/choices.parquet"
METRICS = "results/{model}/{task}/k{k}/metrics.parquet"
TABLE = "results/tables/{table}.{kind}"
FIGURE = "results/figures/{figure}.{kind}"
REPORT = "results/report.html"
LOG = "results/logs/{rule}/{name}.log"

TARGETS = dict(model=CONFIG.models, task=CONFIG.tasks, k=CONFIG.k)
ALL_CANDIDATES = expand(CANDIDATES, model=CONFIG.models, task=CONFIG.tasks)
ALL_GRADES = expand(GRADES, model=CONFIG.models, task=CONFIG.tasks)
ALL_METRICS = expand(METRICS, **TARGETS)
ALL_CHOICES = expand(CHOICES, **TARGETS)
FIGURE_FILES = expand(FIGURE, figure=FIGURES, kind=["pdf", "png"])


def graded_where_needed(wildcards):
    """The grades, if a variant simplifies wrong candidates; else discrimination does not wait for a judge."""
    variants = CONFIG.variants_of(wildcards.task).values()
    return {"grades": GRADES} if any(v.distractors == "easy" for v in variants) else {}


def local_data(wildcards):
    """The data file of a task, where the user names one: an edit of it counts."""
    source = CONFIG.task_source(wildcards.task)
    return [Path(source.path).expanduser()] if isinstance(source, LocalFile) else []


def local_model(wildcards):
    """The files of a model, where the user names a folder (or the script of a scripted one)."""
    source = CONFIG.models[wildcards.model].source
    if not isinstance(source, str):
        return []
    path = Path(source).expanduser()
    if CONFIG.models[wildcards.model].engine == "scripted":
        return [path]
    patterns = model_files(CONFIG.models[wildcards.model].trust_remote_code)
    return (
        sorted(file for each in patterns for file in path.glob(each))
        if is_folder(source)
        else []
    )
