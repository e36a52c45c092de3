"""text.count: lines and words of a file, by version 1 of textkit."""

import importlib.metadata
import pathlib
import sys

import textkit

from workers.answer import path_of, serve


def count(params):
    text = pathlib.Path(path_of(params)).read_text(encoding="utf-8")
    lines, words = textkit.count(text)
    return {"lines": lines, "words": words, "textkit": importlib.metadata.version("textkit")}


if __name__ == "__main__":
    # `function` of the configuration is the module's first argument.
    serve("text.count", {"count": count}[sys.argv[1]])
