#!/bin/bash
# Installs what the tests against real parts need: Java 17 or later, Maven, Apache Kafka's jars and the S3 server versitygw.
# planetag itself needs none of them.
source "$(dirname "$0")/lib.sh"

kafka=4.4.0
versitygw=1.8.0

java_release() { java -version 2>&1 | sed -n 's/.*version "\([0-9]*\).*/\1/p' | head -n 1; }

missing=()
if ! have java || [ "$(java_release)" -lt 17 ]; then missing+=(default-jre-headless); fi
have mvn || missing+=(maven)
if [ "${#missing[@]}" -gt 0 ]; then
  install_packages "to run a real Apache Kafka in the tests" "${missing[@]}" ca-certificates-java
fi

if [ ! -e "$deps/kafka/kafka_2.13-$kafka.jar" ]; then
  say "downloading Apache Kafka $kafka with Maven (about 45 MB), for the tests against a real broker"
  rm -rf "$deps/kafka.new"
  mvn -B -q --strict-checksums -f "$root/deploy/setup/kafka.xml" \
    org.apache.maven.plugins:maven-dependency-plugin:3.6.1:copy-dependencies -DincludeScope=runtime -DoutputDirectory="$deps/kafka.new"
  rm -rf "$deps/kafka"
  mv "$deps/kafka.new" "$deps/kafka"
  say "Apache Kafka $kafka is ready at $deps/kafka"
fi

if [ ! -x "$deps/bin/versitygw" ] || ! go version -m "$deps/bin/versitygw" | grep -q "versitygw.v$versitygw"; then
  say "building the S3 server versitygw $versitygw (a minute or two, once), for the tests against real storage"
  # The build cache keeps the parts; module flags of this repository do not concern another module.
  (cd "$deps" && GOFLAGS='' GOBIN="$deps/bin" go install "github.com/versity/versitygw/cmd/versitygw@v$versitygw")
fi
