#!/bin/bash
# Installs what the tests against real parts need: Java 17 or later, Maven, Apache Kafka's jars, the S3 server versitygw, OpenSearch, PostgreSQL with
# PostGIS, and ExifTool.
# planetag itself needs none of them.
source "$(dirname "$0")/lib.sh"

kafka=4.4.0
versitygw=1.8.0
opensearch=2.19.6

java_release() { java -version 2>&1 | sed -n 's/.*version "\([0-9]*\).*/\1/p' | head -n 1; }

missing=()
if ! have java || [ "$(java_release)" -lt 17 ]; then missing+=(default-jre-headless); fi
have mvn || missing+=(maven)
have curl || missing+=(curl)
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

if [ ! -e "$deps/opensearch/modules/geo/geo-$opensearch.jar" ]; then
  say "downloading OpenSearch $opensearch with Maven (about 56 MB), for the tests against a real search index"
  rm -rf "$deps/opensearch.new"
  mkdir -p "$deps/opensearch.new"
  # From within, because Maven leaves a mark of what it unpacked where it was called, and would not unpack it twice.
  (cd "$deps/opensearch.new" && mvn -B -q --strict-checksums org.apache.maven.plugins:maven-dependency-plugin:3.6.1:unpack \
    -Dartifact="org.opensearch.distribution.integ-test-zip:opensearch:$opensearch:zip" -DoutputDirectory="$deps/opensearch.new")
  # Its module for geo_shape is not in that archive, and comes without the description that the server reads.
  geo=$deps/opensearch.new/opensearch-$opensearch/modules/geo
  mvn -B -q --strict-checksums org.apache.maven.plugins:maven-dependency-plugin:3.6.1:copy \
    -Dartifact="org.opensearch.plugin:geo:$opensearch" -DoutputDirectory="$geo"
  printf '%s\n' "name=geo" "description=geo_shape" "version=$opensearch" "opensearch.version=$opensearch" "java.version=11" \
    "classname=org.opensearch.geo.GeoModulePlugin" >"$geo/plugin-descriptor.properties"
  rm -rf "$deps/opensearch"
  mv "$deps/opensearch.new/opensearch-$opensearch" "$deps/opensearch"
  rm -rf "$deps/opensearch.new"
  say "OpenSearch $opensearch is ready at $deps/opensearch"
fi

if ! compgen -G '/usr/share/postgresql/*/extension/postgis.control' >/dev/null; then
  # Debian 12 has PostgreSQL 15, Ubuntu 24.04 has 16, Debian 13 has 17; each is named for its number.
  case $(. /etc/os-release && echo "$ID-${VERSION_ID:-}") in
    debian-12) postgresql=15 ;;
    ubuntu-24.04) postgresql=16 ;;
    *) postgresql=17 ;;
  esac
  install_packages "to run a real PostGIS in the tests" "postgresql-$postgresql-postgis-3"
fi

have exiftool || install_packages "to read sidecars in the tests as photo applications do" libimage-exiftool-perl
