# What both shell workers of this example do alike; to be sourced.
#
# A shell has no JSON. This reads values without backslashes, which is enough for the paths of this example, and refuses
# the rest. For anything richer take jq, or another language.

# Ends the process: $1 is the exit code, $2 the whole answer.
end() {
    printf '%s\n' "$2"
    exit "$1"
}

# Ends the process with exit code 2: trying again cannot help. $1 is why, without quotes and backslashes.
refuse() {
    end 2 "{\"success\":false,\"error\":{\"type\":\"Refused\",\"message\":\"$1\",\"retry_possible\":false}}"
}

# The string that the first field named $1 in $task holds, however deep; nothing where there is none.
field() {
    printf '%s\n' "$task" | awk -v name="$1" '
        match($0, "\"" name "\" *: *\"[^\"]*\"") {
            pair = substr($0, RSTART, RLENGTH - 1)
            sub(/^"[^"]*" *: *"/, "", pair)
            print pair
        }'
}

# Reads the task, which must be of type $1, and sets $path.
read_path() {
    task=$(tr '\n' ' ')
    case $task in
    *\\*) refuse "this worker reads no escaped strings" ;;
    esac
    [ -n "$(field id)" ] || refuse "the task has no id"
    [ "$(field type)" = "$1" ] || refuse "this worker does $1 and nothing else"
    path=$(field path)
    [ -n "$path" ] || refuse "params.path must be a path"
    [ -r "$path" ] || end 1 '{"success":false,"error":{"type":"Unreadable","message":"the file cannot be read"}}'
}
