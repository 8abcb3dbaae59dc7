#!/bin/bash
# Installs Elasticsearch, for the tests of `make test-elasticsearch`. It has a licence of its own (see its LICENSE.txt and that of each module), which is
# why it is installed on request only; planetag does not need it.
source "$(dirname "$0")/lib.sh"

elasticsearch=8.19.21

if [ ! -e "$deps/elasticsearch/lib/elasticsearch-$elasticsearch.jar" ]; then
  say "downloading Elasticsearch $elasticsearch with Maven (about 107 MB), for the tests against a real one"
  rm -rf "$deps/elasticsearch.new"
  mkdir -p "$deps/elasticsearch.new"
  # From within, because Maven leaves a mark of what it unpacked where it was called, and would not unpack it twice.
  (cd "$deps/elasticsearch.new" && mvn -B -q --strict-checksums org.apache.maven.plugins:maven-dependency-plugin:3.6.1:unpack \
    -Dartifact="org.elasticsearch.distribution.integ-test-zip:elasticsearch:$elasticsearch:zip" -DoutputDirectory="$deps/elasticsearch.new")
  chmod +x "$deps/elasticsearch.new/elasticsearch-$elasticsearch/bin/elasticsearch" # a zip has no such bit, for all unpackers
  rm -rf "$deps/elasticsearch"
  mv "$deps/elasticsearch.new/elasticsearch-$elasticsearch" "$deps/elasticsearch"
  rm -rf "$deps/elasticsearch.new"
  say "Elasticsearch $elasticsearch is ready at $deps/elasticsearch"
fi
