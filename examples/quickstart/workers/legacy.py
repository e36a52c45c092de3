# -*- coding: utf-8 -*-
"""legacy.inventory: counts the files of a directory, in the style of interpreters of long ago.

Runs unchanged on Python 2.7 and on every Python 3: no keyword of `json` and no syntax that 2.7 does not have.
"""
from __future__ import print_function

import io
import json
import os
import sys


def inventory(params):
    directory = params.get("directory")
    if directory is None or not os.path.isdir(directory):
        raise ValueError("params.directory must be a directory")
    sizes = {}
    for name in sorted(os.listdir(directory)):
        path = os.path.join(directory, name)
        if os.path.isfile(path):
            sizes[name] = os.path.getsize(path)
    return {"files": len(sizes), "bytes": sum(sizes.values()), "python": "%d.%d" % sys.version_info[:2]}


def read_params():
    # Opened by number, because the text mode of standard input differs between the two generations.
    with io.open(0, "r", encoding="utf-8") as stdin:
        task = json.loads(stdin.read())
    if not isinstance(task, dict) or not task.get("id"):
        raise ValueError("the task has no id")
    if task.get("type") != "legacy.inventory":
        raise ValueError("this worker does legacy.inventory, not %s" % task.get("type"))
    if not isinstance(task.get("params"), dict):
        raise ValueError("params must be an object")
    return task["params"]


def main():
    try:
        answer, code = {"success": True, "result": inventory(read_params())}, 0
    except ValueError as error:
        # What is wrong with the task stays wrong.
        answer = {
            "success": False,
            "error": {"type": type(error).__name__, "message": u"%s" % error, "retry_possible": False},
        }
        code = 2
    except Exception as error:
        answer, code = {"success": False, "error": {"type": type(error).__name__, "message": u"%s" % error}}, 1
    print(json.dumps(answer))
    return code


if __name__ == "__main__":
    sys.exit(main())
