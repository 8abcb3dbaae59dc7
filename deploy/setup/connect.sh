#!/bin/bash
# Installs what only `make test-connect` needs, beside what realparts.sh installs: a Kafka Connect worker, and Debezium's sink for JDBC, into .deps/connect.
source "$(dirname "$0")/lib.sh"

debezium=3.6.0.Final
plugin_sum=c23af8d416f0f801ffb0271b1a8fd9b5360ff8d66b0dd650e066bb56ecfddc05 # of debezium-connector-jdbc-3.6.0.Final-plugin.tar.gz
connect=4.3.1 # as in connect.xml; the newest on Maven Central

if [ -e "$deps/connect/worker/connect-runtime-$connect.jar" ] && [ -e "$deps/connect/plugins/debezium-connector-jdbc/debezium-connector-jdbc-$debezium.jar" ]; then exit 0; fi
have mvn || stop "Maven is missing; make setup-test gets it"

new=$deps/connect.new
rm -rf "$new"
mkdir -p "$new/plugins"
say "downloading Kafka Connect $connect and Debezium's JDBC sink $debezium with Maven (about 90 MB), for make test-connect"
mvn -B -q --strict-checksums -f "$root/deploy/setup/connect.xml" \
  org.apache.maven.plugins:maven-dependency-plugin:3.6.1:copy-dependencies -DincludeScope=runtime -DoutputDirectory="$new/worker"
mvn -B -q --strict-checksums org.apache.maven.plugins:maven-dependency-plugin:3.6.1:copy \
  -Dartifact="io.debezium:debezium-connector-jdbc:$debezium:tar.gz:plugin" -DoutputDirectory="$new"
plugin=$new/debezium-connector-jdbc-$debezium-plugin.tar.gz
got=$(sum_of "$plugin")
[ "$got" = "$plugin_sum" ] || stop "the checksum of Debezium's JDBC sink $debezium differs, so it is not installed" "  expected $plugin_sum" "  found    $got"
tar -xzf "$plugin" -C "$new/plugins"
rm "$plugin"
rm -rf "$deps/connect"
mv "$new" "$deps/connect"
say "Kafka Connect $connect is ready at $deps/connect"
