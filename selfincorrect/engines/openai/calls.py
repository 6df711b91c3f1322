"""One call to a server, bounded in time and size, and with no word of the key in what comes back."""

import base64
import json
import math
import threading
import time
from collections.abc import Mapping
from concurrent.futures import Future
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from typing import Any
from urllib.parse import quote

import httpx2

from selfincorrect.engines.openai.replies import clean
from selfincorrect.engines.openai.troubles import Trouble, message_of
from selfincorrect.errors import UserError

# Bytes, unpacked: n answers of some thousand tokens with 20 log-probabilities each.
LARGEST_BODY = 256 * 2**20
LARGEST_ERROR = 2**20
# Files of a batch API: seconds at least for the whole of one, and bytes.
FILE_TIMEOUT, LARGEST_FILE = 1800.0, 2**30
SHORTEST_KEY = 12  # characters of what no answer holds by chance
SHOWN = 500  # characters of a server's words


@dataclass(frozen=True)
class Body:
    """The body of a whole response with status 200."""

    data: bytes


class Secret:
    """A key, which is kept out of texts.

    It is looked for as it is, and in the ways that servers write it when they repeat it.
    """

    def __init__(self, key: str | None) -> None:
        self.key = key
        ways: set[str] = set()
        if key:
            packed = (base64.b64encode(text.encode()).decode().rstrip("=") for text in (key, f"Bearer {key}"))
            ways = {key, quote(key, safe=""), json.dumps(key)[1:-1], *packed}
        self._ways = sorted(ways, key=len, reverse=True)

    @property
    def is_placeholder(self) -> bool:
        """Whether the key is a word such as "none" or "EMPTY", which answers may hold by themselves."""
        return len(self.key or "") < SHORTEST_KEY

    def scrubbed(self, text: str) -> str:
        for way in self._ways:
            text = text.replace(way, "[key]")
        return text


class Client:
    """Posts JSON to one server and reads its replies. `timeout`, in seconds, is for a whole call.

    Paths are below the server's URL, those that begin with a slash beside its `/v1`.
    """

    def __init__(self, name: str, url: str, secret: Secret, timeout: float) -> None:
        """Raises UserError if the proxy that the environment names cannot be used."""
        self._url, self._secret, self._timeout = url.rstrip("/"), secret, timeout
        headers = {"Authorization": f"Bearer {secret.key}"} if secret.key else {}
        try:
            # Redirects are not followed: neither prompts nor key go to a stranger.
            self._client = httpx2.Client(headers=headers, timeout=timeout, follow_redirects=False)
        except (ImportError, ValueError) as error:
            raise UserError(
                f"{name}: the proxy that the environment names cannot be used: {error}\n"
                "SOCKS proxies need a package of their own: pip install socksio. "
                "Or take ALL_PROXY out of the environment for this run; NO_PROXY does not help here."
            ) from error

    def post(self, path: str, body: Mapping[str, Any]) -> Body | Trouble:
        """The body of a whole reply with status 200, or what went wrong."""
        return self._call("POST", path, json=dict(body))

    def upload(self, path: str, name: str, data: bytes, fields: Mapping[str, str]) -> Body | Trouble:
        """Post a file of lines with the fields of its form."""
        file = {"file": (name, data, "application/jsonl")}
        return self._call("POST", path, True, files=file, data=dict(fields))

    def download(self, path: str) -> Body | Trouble:
        """The bytes of a file."""
        return self._call("GET", path, True)

    def get(self, path: str) -> Body | Trouble:
        return self._call("GET", path)

    def _call(self, method: str, path: str, is_file: bool = False, **sent: Any) -> Body | Trouble:
        """Run the exchange in a thread of its own, which is left to itself when the time is over.

        No read of what a server drips, headers too, waits longer than its own limit, but many reads together
        have no limit.
        """
        done: Future[Body | Trouble] = Future()
        seconds = max(self._timeout, FILE_TIMEOUT) if is_file else self._timeout
        limit = LARGEST_FILE if is_file else LARGEST_BODY

        def exchange() -> None:
            try:
                done.set_result(self._exchange(method, path, seconds, limit, **sent))
            except BaseException as error:
                done.set_exception(error)

        threading.Thread(target=exchange, name="call", daemon=True).start()
        try:
            return done.result(seconds + 1.0)
        except TimeoutError:
            return self._trouble(None, f"no whole reply in {seconds:g} s (`timeout`)")

    def _exchange(self, method: str, path: str, seconds: float, limit: int, **sent: Any) -> Body | Trouble:
        """Exchange a request for a reply; no exception of the library leaves this.

        Such exceptions hold the request, and it holds the key.
        """
        base = self._url.removesuffix("/v1") if path.startswith("/") else f"{self._url}/"
        try:
            with self._client.stream(method, base + path, timeout=seconds, **sent) as response:
                return self._read(response, seconds, limit)
        except httpx2.TimeoutException:
            return self._trouble(None, f"nothing in {seconds:g} s (`timeout`)")
        except httpx2.InvalidURL as error:
            raise UserError(f"{self._url!r} is no URL: {error}. Correct `server.url`.") from None
        except (httpx2.HTTPError, httpx2.StreamError, LookupError) as error:
            return self._trouble(None, f"{type(error).__name__}: {error}")

    def _read(self, response: httpx2.Response, seconds: float, limit: int) -> Body | Trouble:
        deadline = time.monotonic() + seconds
        good = response.status_code in (200, 201)  # the second for what was made, such as a file
        limit = limit if good else LARGEST_ERROR
        data = bytearray()
        for part in response.iter_bytes():
            data += part
            if time.monotonic() > deadline:
                return self._trouble(None, f"no whole reply in {seconds:g} s (`timeout`)")
            if len(data) > limit:
                return self._trouble(None, f"a reply of more than {limit // 2**20} MiB")
        if good:
            return Body(_recoded(bytes(data), response.charset_encoding))
        if response.is_redirect:
            where = response.headers.get("location", "")
            said = f"a redirect to {where}, which is not followed. Correct `server.url`."
            return self._trouble(response.status_code, said)
        try:
            body = json.loads(data)
        except (ValueError, RecursionError):
            body = None
        body = _inner(body)
        said = message_of(body) if body else data.decode("utf-8", "replace")
        return self._trouble(response.status_code, said, body, _retry_after(response.headers))

    def refusal(self, status: int | None, body: Any) -> Trouble:
        """The Trouble that an error's body tells which came inside of a reply."""
        body = _inner(body)
        return self._trouble(status, message_of(body), body)

    def _trouble(
        self, status: int | None, said: str, body: Any = None, retry_after: float | None = None
    ) -> Trouble:
        return Trouble(status, self.shown(said), body, retry_after)

    def holds_key(self, text: str) -> bool:
        """Whether a text repeats the key, where that is more than a word such as "none"."""
        return not self._secret.is_placeholder and self._secret.scrubbed(text) != text

    def shown(self, text: str) -> str:
        """A server's words, shortened, without the key.

        The key is looked for before they are shortened, since half a key would not be found.
        """
        text = self._secret.scrubbed(clean(text)).strip()
        return text if len(text) <= SHOWN else f"{text[:SHOWN]} …"

    def models(self) -> list[str]:
        """The ids of up to ten of the server's models; none if it does not say."""
        listed = self.get("models")
        try:
            entries = json.loads(listed.data)["data"] if isinstance(listed, Body) else []
            return [self.shown(str(entry["id"])) for entry in entries[:10]]
        except (ValueError, KeyError, TypeError, RecursionError):
            return []


def _inner(body: Any) -> Any:
    """The error in the body of one."""
    return body.get("error", body) if isinstance(body, dict) else body


def _recoded(data: bytes, charset: str | None) -> bytes:
    """The same text as `data`, in UTF-8 instead of the encoding that its server names."""
    try:
        return data if charset is None else data.decode(charset, "replace").encode()
    except LookupError:
        return data


def _retry_after(headers: Mapping[str, str]) -> float | None:
    """The seconds that the server asks to wait, which it gives as a number or as a date."""
    value = headers.get("retry-after")
    if value is None:
        return None
    try:
        return float(value) if math.isfinite(float(value)) else None
    except ValueError:
        pass
    try:
        return parsedate_to_datetime(value).timestamp() - time.time()
    except (ValueError, OverflowError):
        return None
