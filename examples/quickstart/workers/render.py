"""render.slow: turns pages into plain text, slowly, and reports its progress on the channel."""

import html.parser
import os
import pathlib
import time

from workers.answer import Refused, serve, tell


class Text(html.parser.HTMLParser):
    """The text between the tags."""

    def __init__(self):
        super().__init__()
        self.parts = []

    def handle_data(self, data):
        self.parts.append(data.strip())


def render(params):
    pages = params.get("pages")
    if not isinstance(pages, list):
        raise Refused("params.pages must be a list of paths")
    rendered = []
    for number, page in enumerate(pages, start=1):
        rendered.append(plain(page))
        time.sleep(params.get("pause_seconds", 0))
        tell("progress", current=number, total=len(pages), message=page)
    return {"pages": len(rendered), "file": keep("\n\n".join(rendered))}


def plain(page):
    text = Text()
    text.feed(pathlib.Path(page).read_text(encoding="utf-8"))
    return "\n".join(part for part in text.parts if part)


def keep(text):
    """Writes the text into the workspace, whole or not at all, and names the file; `None` without a workspace."""
    output = os.environ.get("WORKERHOST_OUTPUT_DIR")
    if output is None:
        return None
    unfinished = pathlib.Path(output, "pages.txt.tmp")
    unfinished.write_text(text + "\n", encoding="utf-8")
    unfinished.replace(unfinished.with_suffix(""))
    return "pages.txt"


if __name__ == "__main__":
    serve("render.slow", render)
