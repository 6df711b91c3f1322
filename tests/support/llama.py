"""llama.cpp's own server, on the GGUF file that the default experiment fetches.

`python -m tests.support.llama FILE` starts it and tells its address.
"""

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

SLOTS, CONTEXT = 4, 4 * 1024


@contextmanager
def llama_serve(gguf: Path) -> Iterator[str]:
    """The URL of a server that ends with the block."""
    command = [sys.executable, "-m", "tests.support.llama", str(gguf)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdin
        assert process.stdout
        try:
            address = process.stdout.readline().strip()
            assert address, "the server does not start"
            yield f"{address}/v1"
        finally:
            process.stdin.close()  # ends it


def main(gguf: str) -> None:
    import xllamacpp

    settings = xllamacpp.CommonParams()
    settings.model.path = gguf
    settings.n_parallel, settings.n_ctx = SLOTS, CONTEXT
    settings.cpuparams.n_threads = settings.cpuparams_batch.n_threads = 1
    settings.verbosity = 0
    server = xllamacpp.Server(settings)
    print(server.listening_address, flush=True)
    sys.stdin.read()


if __name__ == "__main__":
    main(sys.argv[1])
