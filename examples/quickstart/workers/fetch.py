"""fetch.flaky: fetches a file over a line that drops now and then. Exit code 1 says: try again."""

import hashlib
import os
import pathlib
import urllib.request

from workers.answer import path_of, serve


def fetch(params):
    # A real line drops when it likes. This one drops on the first so many attempts, so that every run looks alike.
    dropped = params.get("dropped", 0)
    if int(os.environ.get("WORKERHOST_ATTEMPT", "1")) <= dropped:
        raise ConnectionResetError("the line dropped")
    url = pathlib.Path(path_of(params)).resolve().as_uri()
    with urllib.request.urlopen(url) as answer:
        content = answer.read()
    return {"bytes": len(content), "sha256": hashlib.sha256(content).hexdigest()}


if __name__ == "__main__":
    serve("fetch.flaky", fetch)
