#!/usr/bin/env bash
# jms.sh DIRECTORY SOURCE.java...: compiles JMS programs into a directory, with ActiveMQ's client from Maven Central, and
# prints the class path to run them with.
set -euo pipefail
directory=$1
shift
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
mkdir -p "$directory"
mvn -B -q -f "$root/test/interop/java/pom.xml" dependency:build-classpath -Dmdep.outputFile="$directory/libraries" >&2
classes=$(<"$directory/libraries"):$directory
javac -cp "$classes" -d "$directory" "$@" >&2
echo "$classes"
