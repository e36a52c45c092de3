#!/usr/bin/env python3
"""Builds the two wheels from the sources beside it, byte for byte the same on every machine.

    build_wheels.py           write the wheels
    build_wheels.py --check   compare them with what would be written, and write nothing
"""

import base64
import hashlib
import io
import pathlib
import sys
import zipfile

HERE = pathlib.Path(__file__).resolve().parent
NAME = "textkit"
VERSIONS = ("1.4.0", "2.1.0")
# The earliest moment that a ZIP archive can hold: a wheel must not depend on when it was built.
MOMENT = (1980, 1, 1, 0, 0, 0)


def members(version):
    """The files of a wheel, path to bytes, without the record of them."""
    info = f"{NAME}-{version}.dist-info"
    source = HERE / f"{NAME}-{version}"
    files = {
        path.relative_to(source).as_posix(): path.read_bytes() for path in sorted(source.rglob("*.py"))
    }
    metadata = f"Metadata-Version: 2.1\nName: {NAME}\nVersion: {version}\nSummary: Counts plain text\n"
    tags = "Wheel-Version: 1.0\nGenerator: build_wheels.py\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
    files[f"{info}/METADATA"] = metadata.encode()
    files[f"{info}/WHEEL"] = tags.encode()
    return files


def record(files, path):
    """The table of contents that the wheel format asks for: path, digest and size of each file."""
    rows = []
    for name, content in files.items():
        digest = base64.urlsafe_b64encode(hashlib.sha256(content).digest()).rstrip(b"=").decode()
        rows.append(f"{name},sha256={digest},{len(content)}\n")
    return "".join([*rows, f"{path},,\n"]).encode()


def wheel(version):
    """The bytes of the wheel of `version`."""
    files = members(version)
    path = f"{NAME}-{version}.dist-info/RECORD"
    files[path] = record(files, path)
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as out:
        for name, content in files.items():
            entry = zipfile.ZipInfo(name, MOMENT)
            entry.create_system = 3
            entry.external_attr = 0o644 << 16
            # Stored, not deflated: two builds of zlib may compress the same bytes differently.
            entry.compress_type = zipfile.ZIP_STORED
            out.writestr(entry, content)
    return archive.getvalue()


def main(arguments):
    if arguments not in ([], ["--check"]):
        sys.exit(__doc__)
    for version in VERSIONS:
        path = HERE / f"{NAME}-{version}-py3-none-any.whl"
        if not arguments:
            path.write_bytes(wheel(version))
        elif path.read_bytes() != wheel(version):
            sys.exit(f"{path.name} is not what its sources build: run {sys.argv[0]}")


if __name__ == "__main__":
    main(sys.argv[1:])
