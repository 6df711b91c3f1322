"""What stands below each figure of the report."""

CAPTIONS = {
    "dg_diff": "DG-Diff = S_disc − S_gen for every cell, with 95 % intervals clustered by question. Above 0, "
    "choosing beats "
    "drawing one of the candidates at random. Hollow marks cannot speak about discrimination: no question is "
    "mixed, "
    "nearly all picks fall on one position, or hardly any output is valid. Grey marks: the models of the "
    "paper's Table 2, for context.",
    "scores": "Generation score, discrimination score, majority vote over the candidates and the oracle that "
    "always finds a "
    "right candidate, over the number of candidates shown. 95 % intervals.",
    "selectors": "Every way of choosing among the same candidates, with 95 % intervals: who sees the same "
    "answers chooses well or badly by how it is asked. Lines: the majority vote and the oracle. Grey: cannot "
    "speak about discrimination.",
    "best_of": "Best of j of the same candidates, for every j: what ways of choosing gain from more of them. "
    "Exact, as the mean over all subsets of j candidates, with 95 % intervals; of ways whose scores of "
    "candidates do not depend on each other, and of the majority vote.",
    "compute": "What ways of choosing score for what they take, drawing and choosing, one mark for each "
    "number of candidates: read once what prompts of a question share, demonstrations not counted. Bands: "
    "95 %, resampled questions. Grey: nothing takes as little and scores more. Votes that stop, and models "
    "that are asked where votes are split, are replayed on the pool.",
    "matrix": "DG-Diff of every model that was asked about the answers of every other, at the largest k, "
    "with 95 % intervals; framed about its own. Blue: better than drawing one, red: worse, on one scale; a "
    "star where that survives Holm over all cells; grey, without colour: cannot speak about discrimination.",
    "forest": "Skill: how often a model takes a best answer where it would otherwise draw one, comparable "
    "over k and tasks, with exact 95 % intervals. Below, the random-effects mean with its interval; the thin "
    "line is where one more such cell is expected. Grey: cannot speak about discrimination; not in the mean.",
    "difficulty": "Skill of each way of choosing by how hard questions are, with exact 95 % intervals: by "
    "the task's levels where it has some, else by how often the candidates that were not shown are right. "
    "Groups of fewer than five mixed questions are left out.",
    "positions": "How often each shown position is picked among the outputs with a usable label, with "
    "Wilson's 95 % interval. "
    "The dashed line is an even choice; a model that sits at 100 % on one position does not look at the "
    "answers.",
}
