# Ends every process of a run once nobody holds the other end of its standard input: $1 the mark that they carry in their
# environment, $2 a file of those started directly ("pid start-time signal" a line), $3 a folder to remove in the end, if any.
# Processes that forked away are found by the mark; those of another user, whose environment may be closed to us, by the file.
trap '' INT TERM HUP QUIT
read -r _

start_of() { # the start time of process $1; fails when it is gone or only a zombie
    read -r stat 2>/dev/null < "/proc/$1/stat" || return 1
    set -- ${stat##*) }
    [ "$1" != Z ] || return 1
    start=${20}
}

each() { # calls $1 PID SIGNAL for every process left, with the signal that asks it to end
    known=" "
    if [ -r "$2" ]; then
        while read -r pid begun signal; do
            if start_of "$pid" && [ "$start" = "$begun" ]; then
                known="$known$pid "
                "$1" "$pid" "$signal"
            fi
        done < "$2"
    fi
    for environ in $(grep -ls -- "$3" /proc/[0-9]*/environ 2>/dev/null); do
        pid=${environ#/proc/}
        pid=${pid%/environ}
        case $known in *" $pid "*) continue ;; esac
        start_of "$pid" && "$1" "$pid" 15
    done
}

count() { left=$((left + 1)); }
ask() { left=$((left + 1)); kill -"$2" "$1" 2>/dev/null; }
# A server that shuts down its data on SIGINT gets 10 s for it; all others have had their time.
end() { if [ "$2" = 2 ] && [ "$round" -lt 100 ]; then left=$((left + 1)); else left=$((left + 1)); kill -9 "$1" 2>/dev/null; fi; }

left=0
each ask "$2" "$1"
round=0
while [ "$left" -gt 0 ] && [ "$round" -lt 200 ]; do
    sleep 0.1
    round=$((round + 1))
    left=0
    if [ "$round" -lt 12 ]; then each count "$2" "$1"; else each end "$2" "$1"; fi
done
[ -z "$3" ] || rm -rf -- "$3"
exit 0
