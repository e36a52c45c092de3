#!/bin/sh
# A worker in plain shell: sed, awk and nothing to install. Copy it and put your work in place of `words`.
#
#     echo '{"id": "1", "type": "example.words", "params": {"text": "to be or not to be"}}' | ./worker.sh
#
# A shell has no JSON, and this one does not pretend: it takes the first field of a name wherever it stands, reads
# strings without backslashes and whole numbers, and refuses a task with escaped text. It does not hear the host's
# control lines. For anything richer take jq, or another language.
#
# Standard output carries the result and nothing else; standard error is the task's log.
set -eu

scratch=$(mktemp -d)
work_begun=no

# Ends the process: $1 is the exit code, $2 the whole answer.
end() {
    # From here on a signal could only cut the answer in two.
    trap '' TERM
    printf '%s\n' "$2"
    rm -rf "$scratch"
    exit "$1"
}

# A failure's answer: $1 is the type, $2 the message without quotes and backslashes, $3 whether trying again may help,
# $4 further fields of the answer, each with a comma before it.
failure() {
    printf '{"success":false,"error":{"type":"%s","message":"%s","retry_possible":%s}%s}' "$1" "$2" "$3" "${4-}"
}

# The task itself is wrong, and $1 says why: trying again cannot help.
refuse() {
    end 2 "$(failure Refused "$1" false)"
}

# The host ends the work before it is done. It keeps what is under `partial` for whoever asks.
stopped() {
    [ -z "${sleeper-}" ] || kill "$sleeper" 2>/dev/null || :
    partial=
    [ $work_begun = no ] || partial=",\"partial\":$(result)"
    end 143 "$(failure Interrupted "stopped before the work was done" true "$partial")"
}

# The value of the first field named $1 that looks like the pattern $2; nothing where there is none.
field() {
    printf '%s\n' "$task" | awk -v name="$1" -v value="$2" '
        match($0, "\"" name "\" *: *" value) {
            found = substr($0, RSTART, RLENGTH)
            sub(/^"[^"]*" *: */, "", found)
            gsub(/"/, "", found)
            print found
        }'
}

# Reads the task from standard input, which ends where the task ends. Sets $text and $pause.
read_task() {
    task=$(tr '\n\t' '  ' | sed 's/^ *//; s/ *$//')
    case $task in
    *\\*) refuse "this worker reads no escaped text" ;;
    '{'*'}') ;;
    '{'*) refuse "standard input is not JSON" ;;
    *) refuse "the task is not an object" ;;
    esac
    [ -n "$(field id '"[^"]*"')" ] || refuse "the task has no id"
    type=$(field type '"[^"]*"')
    [ "$type" = example.words ] || refuse "this worker does no tasks of type $type"
    [ -n "$(field params '[{]')" ] || refuse "params is not an object"
    [ -z "$(field text '[^" ]')" ] || refuse "params.text is not a string"
    text=$(field text '"[^"]*"')
    # Seconds with a fraction are more than the standard asks of `sleep`, yet all of today's understand them.
    pause=$(field pause_ms '[0-9]+' | awk '{ ms = $0 } END { printf "%.3f", ms / 1000 }')
}

# Rests for the pause. A shell obeys a signal only between two commands, or while it waits, so it waits.
rest() {
    sleep "$pause" &
    sleeper=$!
    wait "$sleeper"
}

# Sends the event $1 to the host; without a channel, or without anybody listening, nothing happens.
tell() {
    [ -z "${WORKERHOST_CHANNEL_FD-}" ] || printf '%s\n' "$1" >&"$WORKERHOST_CHANNEL_FD" 2>/dev/null || :
}

# The work: counts the words of $text in ten batches at most, so that a long text makes no flood of events.
words() {
    # The word splitting of the shell is just what is wanted, its file name patterns are not.
    set -f
    printf '%s\n' $text | sed '/^$/d' >"$scratch/words"
    total=$(wc -l <"$scratch/words" | tr -d ' ')
    batch=$(((total + 9) / 10))
    current=0
    work_begun=yes
    while [ "$current" -lt "$total" ]; do
        rest
        current=$((current + batch))
        [ "$current" -le "$total" ] || current=$total
        tell "{\"event\":\"progress\",\"current\":$current,\"total\":$total}"
    done
}

# What is known so far. Of two words equally common the first one wins.
result() {
    head -n "$current" "$scratch/words" | awk '
        { if (!($0 in count)) order[++distinct] = $0; count[$0]++ }
        END {
            best = 1
            for (i = 2; i <= distinct; i++) if (count[order[i]] > count[order[best]]) best = i
            commonest = distinct ? "\"" order[best] "\"" : "null"
            printf "{\"words\":%d,\"distinct\":%d,\"most_common\":%s}", NR, distinct, commonest
        }'
}

trap '' PIPE
trap stopped TERM
read_task
words
end 0 "{\"success\":true,\"result\":$(result)}"
