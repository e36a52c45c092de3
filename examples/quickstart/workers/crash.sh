#!/bin/sh
# native.crash: stands for a native library with room for 4096 bytes and no check. A longer file kills the process.
set -eu
. "$(dirname "$0")/envelope.sh"

read_path native.crash
size=$(wc -c <"$path" | tr -d ' ')
if [ "$size" -gt 4096 ]; then
    # The library's memory is worth no core file.
    ulimit -c 0
    kill -s SEGV $$
fi
end 0 "{\"success\":true,\"result\":{\"bytes\":$size}}"
