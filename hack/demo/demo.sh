#!/usr/bin/env bash
# demo.sh: two brokers share a directory, a JMS program sends, the active broker is killed with -9 in the middle, and
# another JMS program receives every message from the one that took over. Everything is gone when it ends.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
work=$(mktemp -d)
pids=()
clean_up() {
  kill "${pids[@]}" 2>/dev/null || true
  wait 2>/dev/null || true
  rm -rf "$work"
}
trap clean_up EXIT

say() { printf '\n== %s\n' "$*"; }

broker() { # name port
  bin/twinmesh-broker serve --name demo --data "$work/store" --auth off --openwire "tcp://127.0.0.1:$2" \
    --http "127.0.0.1:$(($2 + 100))" 2>"$work/$1.log" &
  pids+=($!)
}

role() { curl -sf "127.0.0.1:$(($1 + 100))/role" || true; }

await_role() { # port role
  for _ in $(seq 100); do
    [[ $(role "$1") == *"\"role\":\"$2\""* ]] && return
    sleep 0.1
  done
  echo "the broker on port $1 is not $2 after 10 s:" >&2
  cat "$work"/*.log >&2
  exit 1
}

say "compiling the JMS programs with ActiveMQ's client from Maven Central"
mvn -B -q -f test/interop/java/pom.xml dependency:build-classpath -Dmdep.outputFile="$work/libraries"
classes=$(<"$work/libraries"):$work
javac -cp "$classes" -d "$work" test/interop/java/*.java

say "starting two brokers on one directory"
broker first 61616
await_role 61616 active
broker second 61617
await_role 61617 standby
echo "first: $(role 61616)second: $(role 61617)"

url='failover:(tcp://127.0.0.1:61616,tcp://127.0.0.1:61617)?maxReconnectDelay=200'
say "sending 2,000 persistent messages to $url"
java -cp "$classes" Sender "$url" 2000 PERSISTENT SYNC >"$work/sent" 2>/dev/null &
sender=$!
until [[ $(wc -l <"$work/sent") -ge 700 ]]; do sleep 0.05; done
say "killing the active broker with -9, after $(wc -l <"$work/sent") messages"
kill -9 "${pids[0]}"
wait "$sender"
echo "sent: $(wc -l <"$work/sent"). second: $(role 61617)"

say "receiving"
java -cp "$classes" Receive "$url" 2000 >"$work/received" 2>/dev/null
echo "received: $(wc -l <"$work/received"), different ones: $(awk '{print $2}' "$work/received" | sort -u | wc -l)"
[[ $(awk '{print $2}' "$work/received" | sort -u | wc -l) == 2000 ]] || { echo "messages are missing" >&2; exit 1; }

say "nothing was lost. To try it with a program of your own:"
echo "  bin/twinmesh-broker serve --data /tmp/twinmesh     # and the same again with --openwire and --http on other ports"
