#!/bin/sh
# files.checksum: the SHA-256 of a file.
set -eu
. "$(dirname "$0")/envelope.sh"

read_path files.checksum
digest=$(sha256sum <"$path")
end 0 "{\"success\":true,\"result\":{\"sha256\":\"${digest%% *}\"}}"
