#!/usr/bin/env bash
# jms.sh WHAT DIRECTORY SOURCE.java...: compiles JMS programs into a directory, with what they need from Maven Central, and prints the
# class path to run them with. WHAT is javax or jakarta for ActiveMQ's client of that generation, spring-javax or spring-jakarta
# for that and Spring, classic for the newer one and ActiveMQ's broker, conformance for the older one and Joram's tests. The
# sources are written for javax.jms. JMS_CLIENT is another version of the client.
set -euo pipefail
what=$1 directory=$2
shift 2
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
profile=$what package=jakarta
case $what in
  javax) profile='!jakarta' package=javax ;;
  conformance) package=javax ;;
  spring-javax) profile='!jakarta,spring' package=javax ;;
  spring-jakarta) profile=jakarta,spring ;;
  jakarta | classic) ;;
  *) echo "jms.sh: say javax, jakarta, classic, conformance, spring-javax or spring-jakarta, not $what" >&2 && exit 2 ;;
esac
mkdir -p "$directory/sources"
mvn -B -q -f "$root/test/interop/java/pom.xml" "-P$profile" ${JMS_CLIENT:+"-Dclient=$JMS_CLIENT"} dependency:build-classpath -Dmdep.outputFile="$directory/libraries" >&2
for source in "$@"; do
  sed "s/javax\.jms/$package.jms/g" "$source" >"$directory/sources/$(basename "$source")"
done
classes=$(<"$directory/libraries"):$directory
if (($#)); then
  javac -encoding UTF-8 -cp "$classes" -d "$directory" "$directory"/sources/*.java >&2
fi
echo "$classes"
