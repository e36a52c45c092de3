#!/bin/sh
# Makes the two virtual environments under .venvs, each with its own version of textkit. Needs no network, changes
# nothing that is already right, and can be run again at any time.
set -eu
cd "$(dirname "$0")"

if ! python3 -c 'import sys, venv; sys.exit(sys.version_info < (3, 8))' 2>/dev/null; then
    echo "setup: this example needs python3, version 3.8 or later, with its venv module." >&2
    exit 1
fi
if ! node --version >/dev/null 2>&1; then
    echo "setup: node was not found. All else runs; the two outline-* tasks will be held, because their worker" >&2
    echo "setup: cannot be started, and the table will differ from expected.txt in their lines." >&2
fi

# The version of textkit in environment $1; nothing where there is none.
installed() {
    ".venvs/$1/bin/python" -c 'import importlib.metadata as m; print(m.version("textkit"))' 2>/dev/null || :
}

# Environment $1 with version $2. Without pip: some distributions package the means to install it apart.
environment() {
    [ "$(installed "$1")" = "$2" ] && return
    python3 -m venv --clear --without-pip ".venvs/$1"
    ".venvs/$1/bin/python" wheels/install_wheel.py "wheels/textkit-$2-py3-none-any.whl"
    if [ "$(installed "$1")" != "$2" ]; then
        echo "setup: textkit $2 could not be installed into .venvs/$1." >&2
        exit 1
    fi
    echo "setup: .venvs/$1 has textkit $2"
}

environment one 1.4.0
environment two 2.1.0
