#!/bin/sh
# An orchestrator in shell: find the texts of a folder, count the words of each, report.
#
# Run it:        holdfast --store counts.db run counts -- sh word_counts.sh FOLDER
# Kill it:       PAUSE=1 holdfast --store counts.db run counts -- sh word_counts.sh FOLDER &
#                sleep 3; kill -9 $!
# Carry it on:   the first line again: what was finished is not done again
#
# PAUSE pretends that each text takes so many seconds.
set -eu
folder=${1:-.}

# What a step prints is recorded; from then on it is printed from the record.
holdfast step discover -- find "$folder" -name '*.txt' -type f > "${TMPDIR:-/tmp}/texts.$$"
trap 'rm -f "${TMPDIR:-/tmp}/texts.$$"' EXIT

total=0
while read -r text; do
    # Each text is an agent of the stage "count". Not the list, but nothing on standard input.
    words=$(holdfast step --stage count "$(basename "$text")" -- \
        sh -c 'echo "counting $1" >&2; sleep "${PAUSE:-0}"; wc -w < "$1"' count "$text" < /dev/null)
    total=$((total + words))
done < "${TMPDIR:-/tmp}/texts.$$"

holdfast checkpoint "$HOLDFAST_RUN_WORKFLOW" --name counted > /dev/null
holdfast step report -- echo "$total words"
