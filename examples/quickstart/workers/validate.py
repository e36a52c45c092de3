"""validate.strict: checks that every line of a file is an object with the wanted fields.

A file that is wrong stays wrong however often it is read, so the worker leaves with exit code 2: do not try again.
"""

import json
import pathlib

from workers.answer import Refused, path_of, serve

TYPES = {"string": str, "integer": int, "object": dict}


class InvalidFile(Refused):
    """A line that breaks the rules."""


def validate(params):
    wanted = params.get("fields", {})
    if not isinstance(wanted, dict) or not TYPES.keys() >= set(wanted.values()):
        raise Refused(f"params.fields must map names to one of: {', '.join(TYPES)}")
    lines = pathlib.Path(path_of(params)).read_text(encoding="utf-8").splitlines()
    for number, line in enumerate(lines, start=1):
        check(number, line, wanted)
    return {"lines": len(lines)}


def check(number, line, wanted):
    try:
        record = json.loads(line)
    except ValueError:
        raise InvalidFile(f"line {number} is not JSON") from None
    if not isinstance(record, dict):
        raise InvalidFile(f"line {number} is no object")
    for field, type_name in wanted.items():
        if not isinstance(record.get(field), TYPES[type_name]):
            raise InvalidFile(f"line {number}: {field} is not of type {type_name}")


if __name__ == "__main__":
    serve("validate.strict", validate)
