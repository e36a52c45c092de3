"""Unpacks a wheel into the environment of the interpreter that runs this, without pip and without network.

A pure Python wheel is an archive of files and nothing else, so unpacking is installing.
"""

import sys
import sysconfig
import zipfile

with zipfile.ZipFile(sys.argv[1]) as wheel:
    wheel.extractall(sysconfig.get_path("purelib"))
