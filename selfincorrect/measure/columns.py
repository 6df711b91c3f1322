"""Every column of the metrics, a row a cell, in one list: schema, empty rows, the order of CSV files, the
gradings, what reports show, and the page of columns come from it.

Scores are fractions of 1, or grades where a task is graded by a score. For question i, f are the grades of
the k candidates shown, p is their mean, c the grade of the chosen one, and d = c − p. Formulas and sources
are in `docs/statistics.md`.
"""

import polars as pl

from selfincorrect.columns import Column

TEXT, COUNT, NUMBER, FLAG = pl.String, pl.Int64, pl.Float64, pl.Boolean
SCORE, SHARE, PROBABILITY, DEGREES = "score", "share", "probability", "temperature"
# Places that show a column under a heading of their own; the gradings take the name.
REPORT, GRADINGS = "report", "gradings"


def _everywhere(heading: str) -> dict[str, str]:
    return {GRADINGS: heading, REPORT: heading}


def _ends(name: str, what: str, kind: str = "95 % interval", unit: str = SCORE, **shown: str) -> list[Column]:
    """The two ends of an interval, `…_low` and `…_high`."""
    return [
        Column(f"{name}_{end}", NUMBER, f"{word} end of the {kind} of {what}", unit, shown=shown)
        for end, word in (("low", "lower"), ("high", "upper"))
    ]


METRICS: list[Column] = [
    # The cell.
    Column("model", TEXT, "model whose answers are the candidates", shown=_everywhere("model")),
    Column("task", TEXT, "task that they answer", shown=_everywhere("task")),
    Column("unit", TEXT, "what scores are: `percent` (fractions of 1) or `grade` (MT-Bench, 1 to "
        "10)", shown={GRADINGS: ""}),
    Column("grading", TEXT, "way of grading behind the "
        "scores", shown={GRADINGS: "", REPORT: "graded by"}),
    Column("k", COUNT, "number of candidates shown", shown=_everywhere("k")),
    Column("variant", TEXT, "variant, as it is called in the configuration", shown=_everywhere("variant")),
    Column("discriminator", TEXT, "model that was asked; empty where none was, or where that is not known"),
    Column("temperature", NUMBER, "temperature that choices were decoded at: 0 is greedy; 1 for models with "
        "`greedy: false`; empty for rules"),
    Column("selector", TEXT, "how it was chosen, by the selector's name: docs/selectors.md says which ask a "
        "model"),
    # How much there is.
    Column("n", COUNT, "questions (items) that "
        "count", empty=0, shown={GRADINGS: "", REPORT: "questions"}),
    Column("mixed", NUMBER, "share of questions whose candidates differ in grade", SHARE),
    Column("mixed_questions", COUNT, "number of "
        "these", empty=0, shown={GRADINGS: "mixed", REPORT: "mixed"}),
    Column("ungraded", COUNT, "items left out: a candidate without a grade (no rating by the judge, or a "
        "server that failed), or a choice that a server failed to give", empty=0),
    Column("clusters", COUNT, "groups of items that are not independent (turns of one conversation; for most "
        "tasks as many as items)", empty=0),
    Column("choices", COUNT, "choices that were made; items that share one count once, here and in `valid`, "
        "`loose`, `too_long`, `unfinished_thought` and `refused`", empty=0),
    # The result.
    Column("s_gen", NUMBER, "generation score, the mean of p: the expected grade of a candidate drawn at "
        "random (the paper's estimand, with about half its variance)", SCORE, shown=_everywhere("S_gen")),
    *_ends("s_gen", "`s_gen`: Wilson's where each question scores 0 or 1, else t, clustered, kept inside [0, "
        "1]", **{GRADINGS: ""}),
    Column("s_disc", NUMBER, "discrimination score, the mean of c; an output without a usable label counts "
        "as the lowest grade among its candidates", SCORE, shown=_everywhere("S_disc")),
    *_ends("s_disc", "`s_disc`, as that of `s_gen`", **{GRADINGS: ""}),
    Column("dg_diff", NUMBER, "DG-Diff = `s_disc` − `s_gen`", SCORE, shown=_everywhere("DG-Diff")),
    Column("se", NUMBER, "standard error of `dg_diff`, paired and clustered: SE² = (1/n²) Σ over clusters of "
        "(Σ (d − mean d))²", SCORE, shown={GRADINGS: ""}),
    Column("ci_low", NUMBER, "lower end of the 95 % t interval of `dg_diff`, clusters − 1 degrees of "
        "freedom; empty where nothing varies, and below 5 mixed "
        "questions", SCORE, shown={GRADINGS: "", REPORT: "95 % interval"}),
    Column("ci_high", NUMBER, "its upper end", SCORE, shown={GRADINGS: ""}),
    Column("p_better", NUMBER, "one-sided p that the verdict rests on: `p_net` where a model picks positions "
        "on a task of right and wrong, else "
        "`p_randomisation`", PROBABILITY, empty=1.0, shown={REPORT: "p"}),
    Column("p_less", NUMBER, "the same on the other side: `p_net_worse`, or "
        "`p_worse`", PROBABILITY, empty=1.0),
    Column("p_randomisation", NUMBER, "one-sided: probability that a uniform choice among the candidates "
        "scores at least as much; a choice that several candidates share is then a uniform subset of so "
        "many. Exact up to 5,000 mixed questions, else normal", PROBABILITY, empty=1.0),
    Column("p_holm", NUMBER, "`p_better` adjusted for all cells in which a model chose, by Holm; empty for "
        "rules that need no model", PROBABILITY, shown={REPORT: "p (Holm)"}),
    Column("p_worse_holm", NUMBER, "`p_less` adjusted likewise", PROBABILITY),
    Column("q_bh", NUMBER, "the same by Benjamini and Hochberg", PROBABILITY),
    Column("verdict", TEXT, "better, worse, equivalent or undecided, from `p_better`, `p_less` and `p_tost`, "
        "each at 5 %; undecided where not `informative`", empty="undecided", shown={REPORT: "verdict"}),
    Column("finding", TEXT, "the verdict in words that can be quoted; empty where not "
        "`informative`", empty=""),
    Column("informative", FLAG, "whether the row can speak about discrimination: a mixed question in which "
        "not all candidates tie, at least 5 and half of the outputs valid, picks not nearly constant. "
        "Figures and report fade the others", empty=False),
    Column("mde", NUMBER, "the smallest DG-Diff that the primary test finds with 80 % power; empty if it can "
        "miss even a perfect choice", SCORE, shown={REPORT: "smallest effect"}),
    # What of it is discernment.
    Column("net", NUMBER, "of the valid choices, what they gain beyond a preference for positions; "
        "`dg_diff_valid` = `net` + `luck` exactly. Net and its columns are empty for selectors without "
        "positions, and where several orders are shown", SCORE),
    Column("net_se", NUMBER, "its standard error, clustered", SCORE),
    *_ends("net", "`net`", "95 % t interval"),
    Column("luck", NUMBER, "what picking positions as often as it does, whatever stands there, gains", SCORE),
    Column("p_net", NUMBER, "one-sided: that the same picks, permuted over the questions, gain at least as "
        "much", PROBABILITY),
    Column("p_net_worse", NUMBER, "the same on the other side", PROBABILITY),
    Column("p_index", NUMBER, "permutation test that grades do not depend on the sample's index; where "
        "they do, a preference for positions has luck in one order and none in another", PROBABILITY),
    Column("logit_grade", NUMBER, "β of a conditional logit: how the logarithm of the odds to be picked "
        "grows with the grade, beside effects of positions and of how many candidates agree"),
    *_ends("logit_grade", "`logit_grade`", "Wald's 95 % interval", ""),
    Column("logit_agreement", NUMBER, "γ, the same for the logarithm of the number of candidates shown that "
        "have the same normal form; empty where it never differs"),
    Column("skill", NUMBER, "how often it knows: the s of a chooser that takes a best candidate with "
        "probability s and draws otherwise (below 0: a worst one with probability −s), where not all "
        "candidates tie. Comparable over k and tasks, which DG-Diff is not. Empty on scored tasks"),
    *_ends("skill", "`skill`", "exact 95 % interval (mid-p tails inverted)", ""),
    Column("exact_low", NUMBER, "lower end of the interval of DG-Diff that `skill_low` gives on this pool: "
        "in the place of `ci_low` below 5 mixed questions, beside it below 20", SCORE),
    Column("exact_high", NUMBER, "its upper end", SCORE),
    Column("ln_e", NUMBER, "natural logarithm of the evidence that it picks better than drawing, which may "
        "be looked at after every question; empty where a model picks positions in one order, whose luck it "
        "would take for skill"),
    Column("ln_e_max", NUMBER, "the largest on the way, in the order in which a larger `limit` adds "
        "questions: from 3.0 (E = 20) on, better at 5 %"),
    Column("tied_mixed", NUMBER, "share of mixed questions whose candidates all tie for the choice; 1: it "
        "does not choose", SHARE),
    # Where it can come from.
    Column("s_gen_mixed", NUMBER, "`s_gen` on mixed questions alone; empty where there is none, as in all "
        "columns of them", SCORE),
    Column("s_disc_mixed", NUMBER, "`s_disc` on these", SCORE),
    Column("dg_diff_mixed", NUMBER, "`dg_diff` on these; `dg_diff` = `mixed` × `dg_diff_mixed` "
        "exactly", SCORE),
    Column("best_mixed", NUMBER, "share of mixed questions whose choice has the best grade; ties shared, "
        "invalid outputs have not", SHARE),
    Column("majority", NUMBER, "expected grade of the most frequent answer (by the task's normal form; ties "
        "shared; unreadable answers agree with "
        "none)", SCORE, shown={GRADINGS: "majority", REPORT: "majority"}),
    *_ends("majority", "`majority`, as that of `s_gen`"),
    Column("disc_minus_majority", NUMBER, "`s_disc` − `majority`: choosing is worth its price only above "
        "0", SCORE),
    *_ends("disc_minus_majority", "`disc_minus_majority`", "95 % t interval"),
    Column("oracle", NUMBER, "mean grade of the best candidate: what a perfect choice would "
        "score", SCORE, shown={GRADINGS: "oracle", REPORT: "oracle"}),
    *_ends("oracle", "`oracle`, as that of `s_gen`"),
    Column("oracle_cross", NUMBER, "on judged tasks with `ratings` from 2: mean grade of the one best by one "
        "rating, scored by another; equally good answers give it no headroom", SCORE),
    Column("headroom", NUMBER, "`oracle` − `s_gen`", SCORE),
    Column("headroom_share", NUMBER, "`dg_diff` / `headroom`; empty where no question is mixed", SHARE),
    *_ends("headroom_share", "`headroom_share`, by cluster bootstrap (10,000 seeded draws; from 5 mixed "
        "questions)", unit=SHARE),
    Column("pass_at_k", NUMBER, "unbiased estimate that k candidates hold a right one, from all n of the "
        "pool: 1 − C(n − right, k)/C(n, k); equals `oracle` where k = n", SHARE),
    # Outputs that name no candidate.
    Column("invalid", NUMBER, "share of outputs without a usable label", SHARE, shown={REPORT: "invalid"}),
    Column("valid", COUNT, "number of outputs with one", empty=0),
    Column("loose", COUNT, "of these, those read loosely: from the last label that stands alone instead of "
        "the instructed ending", empty=0),
    Column("too_long", COUNT, "choices whose prompt does not fit the model's context; invalid, as the next "
        "two", empty=0),
    Column("unfinished_thought", COUNT, "choices whose output is a thought that never ends", empty=0),
    Column("refused", COUNT, "choices that a server refused or filtered", empty=0),
    Column("s_disc_zero", NUMBER, "`s_disc` if outputs without a usable label score 0", SCORE),
    Column("s_disc_expected", NUMBER, "`s_disc` if they score the mean grade of their candidates", SCORE),
    Column("s_disc_strict", NUMBER, "`s_disc` if outputs that are read loosely count as without a usable "
        "label too", SCORE),
    Column("s_disc_valid", NUMBER, "`s_disc` without them", SCORE),
    Column("dg_diff_zero", NUMBER, "`dg_diff` with `s_disc_zero`", SCORE),
    Column("dg_diff_expected", NUMBER, "`dg_diff` with `s_disc_expected`", SCORE),
    Column("dg_diff_valid", NUMBER, "`dg_diff` without them", SCORE),
    Column("candidates_too_long", COUNT, "candidates shown that have no answer since their prompt does not "
        "fit the context; they have the lowest grade, as the next two"),
    Column("candidates_unfinished_thought", COUNT, "candidates shown that are thoughts without an end"),
    Column("candidates_forced", COUNT, "candidates shown whose thought was closed at the budget of "
        "`reasoning`"),
    Column("candidates_refused", COUNT, "candidates shown that a server refused or filtered"),
    Column("candidates_failed", COUNT, "candidates shown that a server failed to give; their questions are "
        "left out"),
    Column("candidates_noisy", COUNT, "candidates shown that are identical to others and were graded "
        "otherwise, by a judge or in the pool; identical answers have their mean grade"),
    # What its scores say, where there are scores.
    Column("p_comp", NUMBER, "probability that of two candidates of a question the better one has the "
        "higher score, ties one half, mean over mixed questions (AUROC within questions)", PROBABILITY),
    *_ends("p_comp", "`p_comp`", "95 % t interval", PROBABILITY),
    Column("brier", NUMBER, "mean of (probability said of the choice − its grade)², where scores are "
        "probabilities, as the next"),
    Column("ece", NUMBER, "expected calibration error of that probability, 10 bins of equal mass"),
    *_ends("ece", "`ece`, by cluster bootstrap (1,000 seeded draws)", unit=""),
    Column("aurc", NUMBER, "area under the risk–coverage curve: mean of 1 − accuracy over all shares of the "
        "questions with the largest margins, as in `coverage.csv`"),
    # Other tests.
    Column("p_worse", NUMBER, "as `p_randomisation` on the other side, among valid outputs: that a uniform "
        "choice scores at most as much", PROBABILITY, empty=1.0),
    Column("p_tost", NUMBER, "equivalence: that DG-Diff lies within ±1 point (±0.1 on scores); from 30 mixed "
        "questions", PROBABILITY),
    Column("s_gen_pick", NUMBER, "mean grade of one seeded pick a question, the paper's form of "
        "`s_gen`", SCORE),
    Column("n01", COUNT, "questions gained by choosing, against the seeded pick", empty=0),
    Column("n10", COUNT, "questions lost", empty=0),
    Column("p_mcnemar", NUMBER, "McNemar's one-sided test on `n01` and `n10`, asymptotic: 1 − Φ(z); "
        "McNemar's are empty on scored tasks", PROBABILITY),
    Column("p_mcnemar_midp", NUMBER, "its mid-p", PROBABILITY),
    Column("p_mcnemar_exact", NUMBER, "its exact form", PROBABILITY),
    Column("p_as_printed", NUMBER, "½[1 − Φ(|z|)], the formula printed in the paper. It halves twice, cannot "
        "exceed 0.25 and rejects too often: for comparison only", PROBABILITY),
    Column("p_wilcoxon", NUMBER, "on scored tasks: signed-rank test on cluster means of the differences from "
        "the pick, zeros by Pratt's rule; empty on others", PROBABILITY),
    Column("p_wilcoxon_drop", NUMBER, "the same, zeros dropped", PROBABILITY),
    # Positions.
    Column("top_slot", COUNT, "shown position that is picked most, 1 is first; positions are empty for rules "
        "that see none", shown={REPORT: "top position"}),
    Column("top_slot_share", NUMBER, "its share of the valid outputs", SHARE),
    Column("top_slot_share_mixed", NUMBER, "the largest share of one position among the valid outputs on "
        "mixed questions", SHARE),
    Column("p_slots", NUMBER, "chi-square test that all positions are picked equally often", PROBABILITY),
    Column("nearly_constant", FLAG, "whether `top_slot_share_mixed` is at least 0.9, among at least 5 valid "
        "outputs on mixed questions (of fewer: all of them on the position that has 0.9 of all): DG-Diff is "
        "then that position's luck", empty=False),
    Column("note", TEXT, "in words, what limits the row", empty=""),
]  # fmt: skip
ADJUSTED = ("p_holm", "p_worse_holm", "q_bh")  # known over all cells only, so no part of one cell's own table

CELL = [column for column in METRICS if column.name not in ADJUSTED]
GRADED = [
    *(column for column in METRICS if GRADINGS in column.shown),
    Column("primary", FLAG, "whether this is the grading of the metrics; its rows come first"),
    Column("differing", COUNT, "candidates shown that this grading grades otherwise than the primary one"),
]
EMPTY = {column.name: column.empty for column in METRICS}
