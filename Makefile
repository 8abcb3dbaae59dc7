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
BENCHTIME ?= 1s
PACKAGES ?= ./...

.PHONY: help setup setup-test build demo test test-fast lint bench fmt clean

help: ## list these commands
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-11s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

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

lint: ## what a reviewer would say, said by a machine
	@deploy/lint/golangci.sh $(GOLANGCI) $(PACKAGES)
	@deploy/lint/files.sh

bench: setup ## the benchmarks of the Go packages
	@go test -run '^$$' -bench . -benchmem -benchtime $(BENCHTIME) $(PACKAGES)

fmt: ## format the Go code
	@gofmt -w $$(git ls-files --cached --others --exclude-standard '*.go')

clean: ## remove what was built; `rm -r .deps` removes what was installed
	@rm -rf bin dist
