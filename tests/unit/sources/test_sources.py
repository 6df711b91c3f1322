"""Data from the hub's protocol and local files, and what is said when they fail."""

import hashlib
import http.server
import json
import os
import subprocess
import sys
import threading

import polars as pl
import pytest

from selfincorrect.engines.manifest import ModelSettings
from selfincorrect.errors import UserError
from selfincorrect.models.prepare import prepare_model
from selfincorrect.sources.kinds import HubFile, LocalFile
from selfincorrect.sources.rows import read_rows
from selfincorrect.tasks import gsm8k, triviaqa
from selfincorrect.tasks.questions import load_questions
from selfincorrect.tasks.registry import get_task
from tests.support.hub_rows import SAMPLES, content
from tests.support.tiny import tokenizer

COMMIT = "0123456789abcdef0123456789abcdef01234567"
GSM8K = [
    {"question": f"How many are {i} and 2?", "answer": f"{i} + 2 = {i + 2}\n#### {i + 2:,}"} for i in range(3)
]
# The settings of a model but for its source and revision.
SETTINGS = {"prompt": "chat", "engine": "transformers", "dtype": "float32", "context": None}
SETTINGS |= {"trust_remote_code": False}
TOLKIEN = {
    **{"aliases": ["J. R. R. T."], "normalized_aliases": ["j r r t", ""]},
    **{"value": "Tolkien", "type": "WikipediaEntity"},
}
TRIVIA = [
    {
        **{"question": "Who?", "question_id": name, "question_source": "", "answer": TOLKIEN},
        **{"entity_pages": {"title": ["x"]}, "search_results": {"url": ["x"]}},
    }
    for name in ("tc_1", "tc_2", "tc_1")
]


class Hub(http.server.BaseHTTPRequestHandler):
    """Just enough of the hub: resolve and the list of a repository's files, at one commit."""

    files: dict[str, bytes] = {}  # noqa: RUF012
    asked: list[str] = []  # noqa: RUF012

    def do_HEAD(self):
        self.reply(head=True)

    def do_GET(self):
        self.reply(head=False)

    def reply(self, head):
        self.asked.append(self.path)
        if f"/revision/{COMMIT}" in self.path or f"/tree/{COMMIT}" in self.path:
            names = [
                {"rfilename": n, "path": n, "type": "file", "size": len(b), "oid": "0" * 40}
                for n, b in self.files.items()
            ]
            body = json.dumps(
                names if "/tree/" in self.path else {"id": "o/n", "sha": COMMIT, "siblings": names}
            ).encode()
        else:
            repo, _, name = self.path.split("?")[0].partition(f"/resolve/{COMMIT}/")
            owned = f"{repo.removeprefix('/datasets/')}/{name}"
            body = self.files.get(owned, self.files.get(name))
        if body is None:
            self.send_response(404)
            self.send_header("X-Error-Code", "EntryNotFound")
            self.end_headers()
            return
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.send_header("Content-Type", "application/json")
        self.send_header("ETag", f'"{hashlib.sha256(body).hexdigest()}"')
        self.send_header("X-Repo-Commit", COMMIT)
        self.end_headers()
        if not head:
            self.wfile.write(body)

    def log_message(self, *args):
        pass


@pytest.fixture
def hub(tmp_path):
    """A server on this machine; `python(code)` runs code against it, since the endpoint is read at import."""
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Hub)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    Hub.files, Hub.asked = {}, []

    def python(code, **env):
        endpoint = f"http://127.0.0.1:{server.server_port}"
        hub = {"HF_ENDPOINT": endpoint, "HF_HOME": str(tmp_path / "cache"), "HF_HUB_DISABLE_XET": "1"}
        environment = {**os.environ, **hub, "no_proxy": "*", **env}
        return subprocess.run(
            [sys.executable, "-c", code],
            capture_output=True,
            text=True,
            env=environment,
            cwd=tmp_path,
            timeout=120,
        )

    yield python
    server.shutdown()


def parquet(rows, path):
    pl.DataFrame(rows).write_parquet(path)
    return path


LOAD = """
from selfincorrect.tasks.questions import load_questions
from selfincorrect.sources.kinds import HubFile
from selfincorrect.tasks import gsm8k
from selfincorrect.errors import UserError
try:
    source = HubFile(repo="openai/gsm8k", file="main/test.parquet", revision="{commit}", sha256={sha})
    print([q.references[0] for q in load_questions(gsm8k, source)])
except UserError as error:
    print("UserError:", error)
"""


def test_hub_file_is_loaded_checked_and_cached(hub, tmp_path):
    content = parquet(GSM8K, tmp_path / "test.parquet").read_bytes()
    Hub.files = {"main/test.parquet": content}
    code = LOAD.format(commit=COMMIT, sha=repr(hashlib.sha256(content).hexdigest()))
    first = hub(code)
    assert first.stdout.strip() == "['2', '3', '4']", first.stderr
    asked = len(Hub.asked)
    offline = hub(code, HF_HUB_OFFLINE="1")
    assert offline.stdout.strip() == "['2', '3', '4']", offline.stderr
    assert len(Hub.asked) == asked, "the cache was not used"
    wrong = hub(LOAD.format(commit=COMMIT, sha=repr("0" * 64)))
    assert "is not the pinned file" in wrong.stdout


LOAD_ALL = """
from selfincorrect.sources.kinds import HubFile
from selfincorrect.tasks.questions import load_questions
from selfincorrect.tasks.registry import READY, get_task
for name in READY:
    source = next((each for each in get_task(name).SOURCES.values() if isinstance(each, HubFile)), None)
    if source:
        made = source.model_copy(update={"revision": COMMIT, "sha256": None})
        print(name, len(load_questions(get_task(name), made)))
"""


def test_every_described_task_of_the_hub_comes_from_there(hub):
    for name, sample in SAMPLES.items():
        source = next(each for each in get_task(name).SOURCES.values() if isinstance(each, HubFile))
        Hub.files[f"{source.repo}/{source.file}"] = content(source.file, [sample.row])
    done = hub(f"COMMIT = {COMMIT!r}\n{LOAD_ALL}")
    assert dict(line.split() for line in done.stdout.splitlines()) == dict.fromkeys(SAMPLES, "1"), done.stderr


def test_hub_that_cannot_be_reached_says_what_to_do(hub):
    at_once = "import time\ntime.sleep = lambda seconds: None  # between the attempts\n"
    done = hub(at_once + LOAD.format(commit=COMMIT, sha=None), HF_ENDPOINT="http://127.0.0.1:9")
    for words in (
        "Could not get openai/gsm8k",
        COMMIT[:12],
        "main/test.parquet",
        "source: {path:",
        "HF_HUB_OFFLINE",
    ):
        assert words in done.stdout, done.stdout + done.stderr


def test_model_from_the_hub_becomes_a_link_into_its_cache(hub, tmp_path):
    config = {"model_type": "llama", "architectures": ["LlamaForCausalLM"], "max_position_embeddings": 128}
    Hub.files = {
        "config.json": json.dumps(config).encode(),
        "model.safetensors": b"weights",
        "pytorch_model.bin": b"pickle",
    }
    (tmp_path / "tokenizer").mkdir()
    tokenizer().save_pretrained(tmp_path / "tokenizer")
    Hub.files |= {path.name: path.read_bytes() for path in (tmp_path / "tokenizer").iterdir()}
    code = f"""
from pathlib import Path
from selfincorrect.models.prepare import ModelSettings, prepare_model
settings = ModelSettings(source="o/n", revision="{COMMIT}", prompt="chat")
manifest = prepare_model("m", settings, Path("m"))
weights = Path("m/weights")
print(manifest.revision, manifest.context, manifest.encoder_decoder,
      (weights / "model.safetensors").read_bytes(), (weights / "pytorch_model.bin").exists())
"""
    done = hub(code)
    assert done.stdout.strip() == f"o/n@{COMMIT} 128 False b'weights' False", done.stderr
    del Hub.files["tokenizer.json"]
    done = hub(code.replace('"o/n"', '"o/other"'))
    assert "m: the tokenizer of" in done.stderr, (
        "found when the model is prepared, not when it is first asked"
    )


@pytest.mark.parametrize("kind", ["parquet", "csv", "jsonl", "arrow"])
def test_local_files_in_the_hubs_schema(tmp_path, kind):
    path, frame = tmp_path / "data", pl.DataFrame(GSM8K)
    writers = {
        "parquet": frame.write_parquet,
        "csv": frame.write_csv,
        "jsonl": frame.write_ndjson,
        "arrow": frame.write_ipc_stream,
    }
    writers[kind](path)
    questions = load_questions(gsm8k, LocalFile(path=str(path)))
    assert [q.references for q in questions] == [("2",), ("3",), ("4",)]


def test_triviaqa_drops_repeated_ids_and_empty_spellings(tmp_path):
    path = parquet(TRIVIA, tmp_path / "t.parquet")
    questions = load_questions(triviaqa, LocalFile(path=str(path)))
    assert [q.question_id for q in questions] == ["tc_1", "tc_2"]
    assert questions[0].references == ("Tolkien", "J. R. R. T.", "j r r t")
    assert "entity_pages" not in next(iter(read_rows(path)))


def test_wrong_columns_and_content_are_said(tmp_path):
    path = parquet([{"text": "x"}], tmp_path / "x.parquet")
    with pytest.raises(UserError, match="has not the columns of this task: KeyError: 'answer'"):
        load_questions(gsm8k, LocalFile(path=str(path)))
    good = parquet(GSM8K, tmp_path / "good.parquet")
    with pytest.raises(UserError, match="other questions than were pinned"):
        load_questions(gsm8k, LocalFile(path=str(good), content_sha256="0" * 64))
    (tmp_path / "broken").write_bytes(b"PAR1 and no more")
    with pytest.raises(UserError, match="cannot be read as parquet"):
        load_questions(gsm8k, LocalFile(path=str(tmp_path / "broken")))
    with pytest.raises(UserError, match="There is no file"):
        load_questions(gsm8k, LocalFile(path=str(tmp_path / "none")))


def test_pickled_weights_are_refused(tmp_path):
    folder = tmp_path / "model"
    folder.mkdir()
    (folder / "config.json").write_text('{"model_type": "llama"}')
    (folder / "pytorch_model.bin").write_bytes(b"pickle")
    settings = ModelSettings(source=str(folder), prompt="chat")
    with pytest.raises(UserError, match=r"holds no .*safetensors"):
        prepare_model("m", settings, tmp_path / "prepared")


def test_hub_sources_of_the_tasks_are_pinned():
    for task in (gsm8k, triviaqa):
        source = next(iter(task.SOURCES.values()))
        assert isinstance(source, HubFile)
        assert source.sha256 or source.content_sha256
