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
BENCHTIME ?= 1s
PACKAGES ?= ./...
BROKERS ?= 1

.PHONY: help setup setup-test build demo test test-fast chaos chaos-short chaos-replay chaos-cost chaos-index bench-index hostile soak train test-train fuzz lint bench fmt clean

help: ## list these commands
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-12s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

setup: ## install what planetag is built with: libvips, TurboJPEG, ONNX Runtime
	@deploy/setup/packages.sh
	@deploy/setup/onnxruntime.sh

setup-test: ## install what only the tests need: Java, Maven, Apache Kafka, versitygw
	@deploy/setup/realparts.sh

build: setup ## build bin/planetag, with ONNX Runtime beside it
	@mkdir -p bin/lib
	@go build -trimpath -buildvcs=$(BUILDVCS) -o bin/planetag ./cmd/planetag
	@ln -sfn "$(PLANETAG_ORT_LIB)" bin/lib/libonnxruntime.so

demo: build ## photos in, locations out: forty photos through the whole worker, without a network
	@bin/planetag demo

test: build setup-test ## every test, with the race detector, against real Kafka and real S3 too; counts them at the end
	@go vet ./...
	@PLANETAG_REQUIRE_ALL=1 go run ./deploy/testcount -race -timeout 15m $(PACKAGES)

test-fast: ## the tests that need no Java, without the race detector
	@go run ./deploy/testcount -short $(PACKAGES)

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

chaos-index: build setup-test ## kill `planetag index` ten times and its servers three times, and compare every document with the topic: REPORT=docs/search.md
	@INDEX_CHAOS=full SEARCH_REPORT=$(REPORT) PLANETAG_REQUIRE_ALL=1 go test ./deploy/search -run 'TestPhotosAreFound$$' -count 1 -v -timeout 30m

bench-index: setup setup-test ## documents a second of `planetag index` beside what each server takes at most, in one run
	@BENCH_INDEX=1 PLANETAG_REQUIRE_ALL=1 go test ./deploy/search -run 'TestThroughput$$' -count 1 -v -timeout 30m

hostile: build ## thousands of broken, lying and exploding photos, one verdict each: COUNT=4000, SEED=1, CORPUS=folder, REPORT=docs/reliability.md
	@go run ./deploy/hostile -count $(or $(COUNT),4000) -seed $(or $(SEED),1) -corpus "$(CORPUS)" -report "$(REPORT)"

soak: build setup-test ## steady input and a fault a minute for HOURS=1.0, and what grows meanwhile
	@CHAOS_SOAK=$$(awk 'BEGIN {print int(60 * $(or $(HOURS),1))}') CHAOS_SEED=$(SEED) CHAOS_REPORT=$(REPORT) PLANETAG_REQUIRE_ALL=1 \
		go test ./deploy/chaos -run TestSoak -count 1 -v -timeout 0

train: build ## a bundle of your own photos: DATA=manifest.csv PHOTOS=folder OUT=bundle, ARGS='--promise "90% within 200 km"' (needs Python; train/README.md)
	@test -n "$(DATA)" -a -n "$(PHOTOS)" -a -n "$(OUT)" || { echo 'make train DATA=manifest.csv PHOTOS=folder OUT=bundle'; exit 2; }
	@$(MAKE) -C train train DATA="$(abspath $(DATA))" PHOTOS="$(abspath $(PHOTOS))" OUT="$(abspath $(OUT))" ARGS='$(ARGS)'

test-train: build ## train a tiny bundle end to end on the demo's photos, about two minutes with Python's packages there
	@$(MAKE) -C train test test-train

fuzz: setup ## every fuzz target, one after another on one core: FUZZTIME=30s
	@deploy/fuzz.sh $(or $(FUZZTIME),30s)

lint: ## what a reviewer would say, said by a machine
	@deploy/lint/golangci.sh $(GOLANGCI) $(PACKAGES)
	@deploy/lint/files.sh
	@go run ./deploy/lint/licences ./cmd/planetag >/dev/null
	@deploy/lint/vulnerabilities.sh $(GOVULNCHECK) ./...

bench: setup ## the benchmarks of the Go packages
	@go test -run '^$$' -bench . -benchmem -benchtime $(BENCHTIME) $(PACKAGES)

fmt: ## format the Go code
	@gofmt -w $$(git ls-files --cached --others --exclude-standard '*.go')

clean: ## remove what was built; `rm -r .deps` removes what was installed
	@rm -rf bin dist
