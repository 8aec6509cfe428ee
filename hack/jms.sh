#!/usr/bin/env bash
# jms.sh javax|jakarta|classic DIRECTORY SOURCE.java...: compiles JMS programs into a directory, with ActiveMQ's client of that
# generation from Maven Central, and prints the class path to run them with. The sources are written for javax.jms; those for
# classic, which has ActiveMQ's broker beside the newer client, for jakarta.jms.
set -euo pipefail
generation=$1 directory=$2
shift 2
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
case $generation in
  javax) profile='!jakarta' ;;
  jakarta) profile=jakarta ;;
  classic) profile=classic ;;
  *) echo "jms.sh: say javax, jakarta or classic, not $generation" >&2 && exit 2 ;;
esac
mkdir -p "$directory/sources"
mvn -B -q -f "$root/test/interop/java/pom.xml" "-P$profile" dependency:build-classpath -Dmdep.outputFile="$directory/libraries" >&2
for source in "$@"; do
  sed "s/javax\.jms/${generation/classic/jakarta}.jms/g" "$source" >"$directory/sources/$(basename "$source")"
done
classes=$(<"$directory/libraries"):$directory
javac -encoding UTF-8 -cp "$classes" -d "$directory" "$directory"/sources/*.java >&2
echo "$classes"
