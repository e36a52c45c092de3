"""text.report: the commonest words of a file, by version 2 of textkit."""

import importlib.metadata
import pathlib
import sys

import textkit

from workers.answer import path_of, serve


def report(params):
    document = textkit.Document(pathlib.Path(path_of(params)).read_text(encoding="utf-8"))
    return {
        "lines": len(document.lines),
        "words": len(document.words),
        "most_common": document.most_common(params.get("most", 5)),
        "textkit": importlib.metadata.version("textkit"),
    }


if __name__ == "__main__":
    # `function` of the configuration is the module's first argument.
    serve("text.report", {"report": report}[sys.argv[1]])
