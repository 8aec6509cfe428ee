#!/usr/bin/env bash
# jms.sh javax|jakarta DIRECTORY SOURCE.java...: compiles JMS programs into a directory, with ActiveMQ's client of that
# generation from Maven Central, and prints the class path to run them with. The sources are written for javax.jms.
set -euo pipefail
generation=$1 directory=$2
shift 2
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
case $generation in
  javax) profile='!jakarta' ;;
  jakarta) profile=jakarta ;;
  *) echo "jms.sh: say javax or jakarta, not $generation" >&2 && exit 2 ;;
esac
mkdir -p "$directory/sources"
mvn -B -q -f "$root/test/interop/java/pom.xml" "-P$profile" dependency:build-classpath -Dmdep.outputFile="$directory/libraries" >&2
for source in "$@"; do
  sed "s/javax\.jms/$generation.jms/g" "$source" >"$directory/sources/$(basename "$source")"
done
classes=$(<"$directory/libraries"):$directory
javac -encoding UTF-8 -cp "$classes" -d "$directory" "$directory"/sources/*.java >&2
echo "$classes"
