"""The picture of the flow on the page is the one that Snakemake draws."""

import re

from tests.conftest import ROOT

EDGE = re.compile(r"^\s*(\w+)\s*-->\s*(\w+)$", re.MULTILINE)


def reduced(edges):
    """The edges that no longer way implies."""
    after = {}
    for start, end in edges:
        after.setdefault(start, set()).add(end)

    def reached(start):
        found, waiting = set(), list(after.get(start, ()))
        while waiting:
            node = waiting.pop()
            if node not in found:
                found.add(node)
                waiting += after.get(node, ())
        return found

    return {
        (start, end)
        for start, end in edges
        if not any(end in reached(other) for other in after[start] - {end})
    }


def test_the_flow_is_drawn_from_the_rules(workflow):
    drawn = workflow.run("--rulegraph", "mermaid-js").stdout
    names = dict(re.findall(r"^\s*(id\d+)\[(\w+)\]", drawn, re.MULTILINE))
    rules = {(names[start], names[end]) for start, end in EDGE.findall(drawn) if names[end] != "all"}
    page = (ROOT / "docs" / "how-it-works.md").read_text(encoding="utf-8")
    picture = page.split("```mermaid")[1].split("```")[0]
    assert set(EDGE.findall(picture)) == reduced(rules)
