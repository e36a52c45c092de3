"""crawl.endless: follows links from page to page and forgets where it has been, so that a circle never ends.

After each page it hands the host what it has found so far. When the time limit ends it, that is what remains.
"""

import html.parser
import pathlib
import time

from workers.answer import path_of, serve, tell


class Links(html.parser.HTMLParser):
    """The targets of a page's links."""

    def __init__(self):
        super().__init__()
        self.targets = []

    def handle_starttag(self, tag, attrs):
        self.targets += [target for name, target in attrs if tag == "a" and name == "href"]


def crawl(params):
    waiting = [pathlib.Path(path_of(params))]
    found = set()
    while waiting:
        page = waiting.pop(0)
        links = Links()
        links.feed(page.read_text(encoding="utf-8"))
        waiting.extend(page.parent / target for target in links.targets)
        found.add(page.name)
        tell("partial", result={"pages": sorted(found)})
        # A crawler that does not rest between two pages is not welcome for long.
        time.sleep(0.05)
    return {"pages": sorted(found)}


if __name__ == "__main__":
    serve("crawl.endless", crawl)
