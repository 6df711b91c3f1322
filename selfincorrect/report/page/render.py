"""The report as one HTML file that opens from disk: its template, style and scripts, and what a browser
may do with it.

Text of models and data sets is hostile: it reaches the page through Jinja's autoescape, or packed for the
viewer, and in no other way. Only the scripts of this folder run, by their digests.
"""

import base64
import hashlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import jinja2
from markupsafe import Markup

from selfincorrect.measure.columns import REPORT, TEXT
from selfincorrect.report import shown
from selfincorrect.report.contrasts import by_how_much
from selfincorrect.report.page.opening import SHOWN

HTML = Path(__file__).parent / "html"
SCRIPTS = ("tables.js", "viewer.js")


def figure_data(path: str) -> str:
    """A PNG as a data URL."""
    return "data:image/png;base64," + base64.b64encode(Path(path).read_bytes()).decode()


def render(context: Mapping[str, Any]) -> str:
    """The page."""
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(HTML),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {
        "percent": shown.percent,
        "score": shown.score,
        "shown": shown.text,
        "probability": shown.probability,
        "by_how_much": by_how_much,
    }
    scripts = [(HTML / name).read_text(encoding="utf-8") for name in SCRIPTS]
    return environment.get_template("report.html.j2").render(
        columns=shown.columns_of(REPORT),
        text=TEXT,
        open_panels=SHOWN,
        style=Markup((HTML / "style.css").read_text(encoding="utf-8")),
        scripts=[Markup(script) for script in scripts],
        policy=_policy(scripts),
        **context,
    )


def _policy(scripts: list[str]) -> str:
    """What a browser may do: run these scripts and no others, show the images in the page, load nothing."""
    digests = [base64.b64encode(hashlib.sha256(script.encode()).digest()).decode() for script in scripts]
    own = " ".join(f"'sha256-{digest}'" for digest in digests)
    return (
        f"default-src 'none'; img-src data:; style-src 'unsafe-inline'; script-src {own}; base-uri 'none'; "
        "form-action 'none'; require-trusted-types-for 'script'"
    )
