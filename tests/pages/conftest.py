"""A browser, where the machine has one."""

import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

sync_api = pytest.importorskip("playwright.sync_api", reason="make test-pages installs it")
SIZES = {"wide": (1280, 800), "narrow": (390, 844)}
BROWSERS = ("chromium", "chromium-browser", "google-chrome")


@dataclass
class Seen:
    """A page, and all that its console said."""

    page: sync_api.Page
    console: list[str] = field(default_factory=list)


@pytest.fixture(scope="session")
def browser() -> Iterator[sync_api.Browser]:
    found = next(filter(None, map(shutil.which, BROWSERS)), None)
    if found is None:
        pytest.skip(f"no browser: {', '.join(BROWSERS)}")
    with sync_api.sync_playwright() as playwright:
        # Programs of root cannot have the browser's own sandbox; the pages are ours.
        opened = playwright.chromium.launch(executable_path=found, args=["--no-sandbox"])
        yield opened
        opened.close()


@pytest.fixture
def visit(browser: sync_api.Browser) -> Iterator[Callable[..., Seen]]:
    """Open a file at a size and in a scheme of colours."""
    contexts = []

    def go(path: Path, size: str = "wide", scheme: str = "light", scripts: bool = True) -> Seen:
        width, height = SIZES[size]
        context = browser.new_context(
            viewport={"width": width, "height": height}, color_scheme=scheme, java_script_enabled=scripts
        )
        contexts.append(context)
        seen = Seen(context.new_page())
        seen.page.on("console", lambda message: seen.console.append(message.text))
        seen.page.on("pageerror", lambda error: seen.console.append(str(error)))
        seen.page.on("dialog", lambda dialog: seen.console.append(f"dialog: {dialog.message}"))
        seen.page.goto(path.as_uri())
        return seen

    yield go
    for context in contexts:
        context.close()
