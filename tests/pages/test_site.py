"""The site builds without a warning, every page fits a narrow screen, and the notebook runs."""

import os
import subprocess
import sys

import nbformat
import polars as pl
import pytest
from nbclient import NotebookClient

from tests.conftest import ROOT

pytestmark = pytest.mark.pages
HOSTILE = "</td><script>alert(1)</script><img src=x onerror=alert(2)>"


@pytest.fixture(scope="session")
def site(tmp_path_factory):
    """The built site. A link or an anchor that leads nowhere, or a page that no menu has, is an error."""
    folder = tmp_path_factory.mktemp("site")
    command = [sys.executable, "-m", "mkdocs", "build", "--quiet", "--site-dir", str(folder)]
    environment = {**os.environ, "NO_MKDOCS_2_WARNING": "1"}
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    assert done.stderr.strip() == ""
    return folder


@pytest.mark.parametrize(
    "page", ["index.html", "tutorial/first-run.html", "configuration.html", "statistics.html"]
)
def test_pages_fit_a_narrow_screen_and_are_quiet(visit, site, page):
    seen = visit(site / page, size="narrow")
    assert seen.page.evaluate("document.documentElement.scrollWidth") == 390
    assert seen.page.locator("h1").first.is_visible()
    # From a disk a browser refuses the search's worker, which a server would give it.
    assert [line for line in seen.console if "file://" not in line and "ERR_FAILED" not in line] == []


def test_the_notebook_runs_and_says_what_it_said():
    shipped = nbformat.read(ROOT / "docs/notebook.ipynb", as_version=4)
    again = nbformat.read(ROOT / "docs/notebook.ipynb", as_version=4)
    NotebookClient(again, kernel_name="python3", resources={"metadata": {"path": ROOT / "docs"}}).execute()

    def said(notebook):
        return [out.text for cell in notebook.cells for out in cell.get("outputs", []) if "text" in out]

    assert said(again) == said(shipped) != []


def test_a_table_in_a_notebook_shows_hostile_text_as_text(visit, tmp_path):
    shown = pl.DataFrame({HOSTILE: [HOSTILE]})._repr_html_()
    (tmp_path / "table.html").write_text(f"<meta charset=utf-8>{shown}", encoding="utf-8")
    seen = visit(tmp_path / "table.html")
    assert seen.page.locator("script, img").count() == 0
    assert seen.console == []
