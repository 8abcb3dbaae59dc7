# planetag's commands. `make` alone lists them.

SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
MAKEFLAGS += --no-print-directory

DEPS := $(CURDIR)/.deps
export PLANETAG_ORT_LIB := $(or $(PLANETAG_ORT_LIB),$(DEPS)/onnxruntime/libonnxruntime.so.1.30.0)
export CGO_ENABLED := 1

# The Go tool stamps the version into the binary, and gives up where git would: in a copy without history.
BUILDVCS := $(if $(shell git rev-parse HEAD 2>/dev/null),auto,false)
GOLANGCI := 2.15.0
GOVULNCHECK := 1.9.0
BENCHTIME ?= 200ms
BENCHSTAT := v0.0.0-20260908200009-22c9c6c9d4da
PACKAGES ?= ./...
BROKERS ?= 1

.PHONY: help setup setup-test setup-gpu gpu-check build demo test test-fast test-arm64 test-connect chaos chaos-short chaos-replay chaos-cost chaos-backfill chaos-index test-elasticsearch hostile soak train learn test-train fuzz lint bench bench-report bench-long bench-index man generate fmt clean

help: ## list these commands
	@awk -F ':.*## ' '/^[a-z0-9-]+:.*## / {printf "  make %-12s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

setup: ## install what planetag is built with: libvips, libjpeg-turbo, ONNX Runtime
	@deploy/setup/packages.sh
	@deploy/setup/onnxruntime.sh

setup-test: ## install what only the tests need: Java, Maven, Apache Kafka, versitygw, ExifTool
	@deploy/setup/realparts.sh

build: setup ## build bin/planetag, with ONNX Runtime beside it
	@mkdir -p bin/lib
	@go build -trimpath -buildvcs=$(BUILDVCS) -o bin/planetag ./cmd/planetag
	@ln -sfn "$(PLANETAG_ORT_LIB)" bin/lib/libonnxruntime.so

setup-gpu: ## install ONNX Runtime for NVIDIA GPUs and its part of CUDA 13 into .deps (2.5 GB); the driver is yours
	@deploy/setup/onnxruntime_gpu.sh

demo: build ## photos in, locations out: forty photos through the whole worker, without a network
	@bin/planetag demo

test: build setup-test ## every test, with the race detector, against real Kafka and real S3 too; counts them at the end
	@go vet ./...
	@PLANETAG_REQUIRE_ALL=1 go run ./deploy/testcount -race -timeout 15m $(PACKAGES)

test-fast: ## the tests that need no Java, without the race detector
	@go run ./deploy/testcount -short $(PACKAGES)

test-arm64: setup ## the worker built for arm64, emulated on a Debian that is none: the decoder's tests, golden photos and the demo, in some minutes
	@deploy/arm64.sh

test-connect: setup setup-test ## Kafka Connect with Debezium's JDBC sink, which it gets (90 MB): what docs/connect.md promises of PostGIS
	@deploy/setup/connect.sh
	@TEST_CONNECT=1 PLANETAG_REQUIRE_ALL=1 go test ./deploy/connect -count 1 -v -timeout 15m

chaos: build setup-test ## break workers, brokers and the clock on purpose, for a quarter of an hour: BROKERS=1 or 3, SEED=n, REPORT=docs/reliability.md
	@CHAOS=full CHAOS_BROKERS=$(BROKERS) CHAOS_SEED=$(SEED) CHAOS_ROWS=$(ROWS) CHAOS_REPORT=$(REPORT) PLANETAG_REQUIRE_ALL=1 \
		go test ./deploy/chaos -run 'TestChaos$$' -count 1 -v -timeout 90m

chaos-short: build setup-test ## the same in about two minutes, as `make test` does it
	@CHAOS_SEED=$(SEED) PLANETAG_REQUIRE_ALL=1 go test ./deploy/chaos -run 'TestChaos$$|TestTheHarness' -count 1 -v

chaos-replay: build setup-test ## how long a restart takes with MIB=1024 of open albums
	@CHAOS_REPLAY_MIB=$(or $(MIB),1024) CHAOS_REPORT=$(REPORT) PLANETAG_REQUIRE_ALL=1 go test ./deploy/chaos -run TestReplay -count 1 -v -timeout 30m

chaos-cost: build setup-test ## what exactly_once and decoding in processes cost, each against doing without, in alternating rounds of one run
	@CHAOS=full CHAOS_ROUNDS=$(or $(ROUNDS),3) CHAOS_REPORT=$(REPORT) PLANETAG_REQUIRE_ALL=1 \
		go test ./deploy/chaos -run TestCosts -count 1 -v -timeout 60m

chaos-backfill: build setup-test ## kill the lister and the workers of a backfill, KILLS=10 times each, over OBJECTS=100000: one final answer for every object
	@CHAOS_OBJECTS=$(or $(OBJECTS),100000) CHAOS_KILLS=$(or $(KILLS),10) CHAOS_SEED=$(SEED) PLANETAG_REQUIRE_ALL=1 \
		go test ./deploy/chaos -run 'TestBackfill$$' -count 1 -v -timeout 100m

chaos-index: build setup-test ## kill `planetag index` ten times and its servers three times, and compare every document with the topic: REPORT=docs/search.md
	@INDEX_CHAOS=full SEARCH_REPORT=$(REPORT) PLANETAG_REQUIRE_ALL=1 go test ./deploy/search -run 'TestPhotosAreFound$$' -count 1 -v -timeout 30m

test-elasticsearch: setup setup-test ## get Elasticsearch, which has a licence of its own, and ask it all that OpenSearch is asked, over TLS
	@bash deploy/setup/elasticsearch.sh
	@SEARCH_ELASTICSEARCH=1 PLANETAG_REQUIRE_ALL=1 go test ./deploy/search -run 'TestElasticsearch$$' -count 1 -v -timeout 20m

bench-index: setup setup-test ## documents a second of `planetag index` beside what each server takes at most, in one run: REPORT=docs/search.md
	@BENCH_INDEX=1 SEARCH_REPORT=$(REPORT) PLANETAG_REQUIRE_ALL=1 go test ./deploy/search -run 'TestThroughput$$' -count 1 -v -timeout 30m

hostile: build ## thousands of broken, lying and exploding photos, one verdict each: COUNT=4000, SEED=1, CORPUS=folder, REPORT=docs/reliability.md
	@go run ./deploy/hostile -count $(or $(COUNT),4000) -seed $(or $(SEED),1) -corpus "$(CORPUS)" -report "$(REPORT)"

soak: build setup-test ## steady input and a fault a minute for HOURS=1.0, and what grows meanwhile
	@CHAOS_SOAK=$$(awk 'BEGIN {print int(60 * $(or $(HOURS),1))}') CHAOS_SEED=$(SEED) CHAOS_REPORT=$(REPORT) PLANETAG_REQUIRE_ALL=1 \
		go test ./deploy/chaos -run TestSoak -count 1 -v -timeout 0

train: build ## a bundle of your own photos: DATA=manifest.csv PHOTOS=folder OUT=bundle, ARGS='--promise "90% within 200 km"' (needs Python; train/README.md)
	@test -n "$(DATA)" -a -n "$(PHOTOS)" -a -n "$(OUT)" || { echo 'make train DATA=manifest.csv PHOTOS=folder OUT=bundle'; exit 2; }
	@$(MAKE) -C train train DATA="$(abspath $(DATA))" PHOTOS="$(abspath $(PHOTOS))" OUT="$(abspath $(OUT))" ARGS='$(ARGS)'

learn: build ## an archive teaches its own bundle beside a general one: DATA=manifest PHOTOS=folder OUT=bundle, or ARCHIVE=folder OUT=bundle; BASE=bundles/demo, COARSEN=level (needs Python; docs/archive.md)
	@test -n "$(OUT)" -a \( -n "$(ARCHIVE)" -o -n "$(DATA)" -a -n "$(PHOTOS)" \) || { echo 'make learn DATA=manifest PHOTOS=folder OUT=bundle, or make learn ARCHIVE=folder OUT=bundle'; exit 2; }
	@$(if $(ARCHIVE),bin/planetag survey "$(ARCHIVE)" --out "$(OUT).parquet",:)
	@$(MAKE) -C train learn DATA="$(abspath $(or $(DATA),$(OUT).parquet))" PHOTOS="$(abspath $(or $(PHOTOS),$(ARCHIVE)))" OUT="$(abspath $(OUT))" \
		BASE="$(abspath $(or $(BASE),bundles/demo))" COARSEN="$(COARSEN)" ARGS='$(ARGS)'

test-train: build ## train a tiny bundle end to end on the demo's photos, about two minutes with Python's packages there
	@$(MAKE) -C train test test-train

gpu-check: build ## what an accelerator does with a bundle, without broker, store or network: PROVIDER=auto, BUNDLES=a,b, REPORT=docs/performance.md
	@go build -o bin/gpucheck ./deploy/gpucheck
	@if [ -e .deps/onnxruntime-gpu/env ]; then source .deps/onnxruntime-gpu/env; fi; \
		bin/gpucheck -provider $(or $(PROVIDER),auto) -bundles $(or $(BUNDLES),bundles/demo) -python "$(or $(wildcard train/.venv/bin/python),python3)" -report "$(REPORT)"

fuzz: setup ## every fuzz target, one after another on one core: FUZZTIME=30s
	@deploy/fuzz.sh $(or $(FUZZTIME),30s)

lint: ## what a reviewer would say, said by a machine
	@deploy/lint/golangci.sh $(GOLANGCI) $(PACKAGES)
	@deploy/lint/files.sh
	@go run ./deploy/lint/licences ./cmd/planetag >/dev/null
	@deploy/lint/vulnerabilities.sh $(GOVULNCHECK) ./...

bench: setup ## the benchmarks of the Go packages, in turns with those of the last tag or REF=, compared by benchstat: COUNT=6, BENCHTIME=200ms
	@deploy/benchstat.sh $(BENCHSTAT) "$(REF)" $(or $(COUNT),6) $(BENCHTIME) $(or $(PACKAGES),./...)

bench-report: build ## docs/performance.md, measured again in some minutes: PEER=directory, INT8=bundle, PHOTOS=folder (quiet machine, please)
	@bin/planetag bench --count 2000 --scaling --report docs/performance.md $(if $(PHOTOS),--photos "$(PHOTOS)",--megapixels 1.2) \
	  $(if $(PEER),--compare "$(PEER)") $(if $(INT8),--int8 "$(INT8)")

bench-long: build ## whether anything grows or slows down over COUNT=1000000 photos with a network that costs nothing
	@bin/planetag bench --model null --seconds 0 --count $(or $(COUNT),1000000) --report docs/performance.md

man: build ## write the manual pages to dist/man
	@bin/planetag docs man dist/man

generate: ## make what is made of the code: docs/commands.md, the configuration's schema, the Avro schema
	@PLANETAG_UPDATE_GOLDEN=1 go test -count 1 ./cmd/planetag -run TestCommandsPageIsCurrent
	@PLANETAG_UPDATE_GOLDEN=1 go test -count 1 ./pipeline -run TestSchemaIsCurrent
	@PLANETAG_UPDATE_GOLDEN=1 go test -count 1 ./deploy/schema -run TestAvroIsCurrent

fmt: ## format the Go code
	@gofmt -w $$(git ls-files --cached --others --exclude-standard '*.go')

clean: ## remove what was built; `rm -r .deps` removes what was installed
	@rm -rf bin dist
