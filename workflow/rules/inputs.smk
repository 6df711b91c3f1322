# Which files are needed: functions of wildcards and of the configuration, from the patterns of paths.smk.
WEIGHTED = "|".join(CONFIG.weighted) or "(?!)"
POOLED = "|".join(CONFIG.pooled) or "(?!)"
JUDGED = "|".join(task for task, each in CONFIG.tasks.items() if each.judges) or "(?!)"
PAPER_NAMES = (*(f"table{number}" for number in range(2, 9)), "figure9")


ASKED_MANIFEST = MANIFEST.format(model="{discriminator}")


# Functions, and not lists, of the paths of the whole experiment: each cluster job reads this file again, and resolves just its part.
def every_pair(pattern, ks=("",)):
    """An input function: a path for each model and task that are measured together, and each k if the path has one."""
    return lambda wildcards: [
        pattern.format(model=model, task=task, k=k)
        for model, task in CONFIG.pairs()
        for k in ks
    ]


def all_datasets(wildcards):
    return expand(DATASET, task=dict.fromkeys(task for _, task in CONFIG.pairs()))


def all_judgements(wildcards):
    return [
        JUDGEMENTS.format(model=model, task=task) for model, task in CONFIG.judged()
    ]


def all_refined(pattern):
    """An input function: a path for each model and task that is refined."""
    return lambda wildcards: [
        pattern.format(model=model, task=task) for model, task in CONFIG.refined()
    ]


def all_manifests(wildcards):
    return expand(MANIFEST, model=CONFIG.weighted)


ALL_CANDIDATES = every_pair(CANDIDATES)
ALL_GRADES = every_pair(GRADES)
ALL_METRICS = every_pair(METRICS, CONFIG.k)
ALL_GRADINGS = every_pair(GRADINGS, CONFIG.k)
ALL_PER_QUESTION = every_pair(PER_QUESTION, CONFIG.k)
ALL_CHOICES = every_pair(CHOICES, CONFIG.k)
FIGURE_FILES = expand(FIGURE, figure=FIGURES, kind=["pdf", "png"])


def graded_before_asking(wildcards):
    """The grades, if a variant that is asked needs them; else discrimination does not wait for a judge."""
    asked = CONFIG.asked(wildcards.task, wildcards.model, wildcards.discriminator)
    return {"grades": GRADES} if CONFIG.needs_grades(wildcards.task, asked) else {}


def graded_before_selecting(wildcards):
    """The grades, if a rule needs them."""
    rules = CONFIG.rules(wildcards.task, wildcards.model)
    return {"grades": GRADES} if CONFIG.needs_grades(wildcards.task, rules) else {}


def asked_about_pool(wildcards):
    """What came with a pool from elsewhere, and what every model says that is asked about it, shard by shard."""
    given = [GIVEN] if wildcards.model in CONFIG.pooled else []
    return given + expand(
        CHOICES_SHARD,
        discriminator=CONFIG.discriminators(wildcards.task, wildcards.model),
        shard=range(CONFIG.tasks[wildcards.task].shards),
        allow_missing=True,
    )


def judged_where_needed(wildcards):
    """What the judges said, where a task has judges."""
    return {"judgements": JUDGEMENTS} if CONFIG.tasks[wildcards.task].judges else {}


def judges(wildcards):
    """The models that judge a task, in order of their roles."""
    return expand(MANIFEST, model=CONFIG.tasks[wildcards.task].raters.values())


def local_data(wildcards):
    """The data files of a task, where the user names some: an edit of one counts."""
    source = CONFIG.task_source(wildcards.task)
    sources = source.files.values() if isinstance(source, Files) else [source]
    return [Path(s.path).expanduser() for s in sources if isinstance(s, LocalFile)]


def local_model(wildcards):
    """The files of a model, where the user names a folder (or the script of a scripted one)."""
    model = CONFIG.weighted[wildcards.model]
    source = model.source
    kind = engine_kind(model.engine)
    if not isinstance(source, str) or kind.served:
        return []
    path = Path(source).expanduser()
    if kind.source == "file" or is_gguf(source):
        return [path]
    patterns = model_files(model.trust_remote_code)
    return (
        sorted(file for each in patterns for file in path.glob(each))
        if is_folder(source)
        else []
    )


def pool_file(wildcards):
    """The file of a pool from elsewhere."""
    pools = CONFIG.pooled[wildcards.model].pools
    if wildcards.task not in pools:
        raise WorkflowError(
            f"Model {wildcards.model} has no pool for {wildcards.task}; it has: {', '.join(pools)}."
        )
    return pools[wildcards.task].file()
