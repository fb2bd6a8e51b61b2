# Every command of the project. `make help` lists them.
SHELL := /bin/bash
CONFIGURATION ?= Release
PORT ?= 8080
BASE ?=
TAG ?= dev

.PHONY: help run build test bench conformance crds images clean
.DEFAULT_GOAL := help

help: ## list the commands
	@awk -F':.*## ' '/^[a-z]+:.*## /{printf "  make %-12s %s\n", $$1, $$2}' Makefile

run: ## Berth on this machine: http://localhost:8080 (PORT=... changes it), data under .local/
	@dotnet build src/Berth.Local/Berth.Local.csproj -c $(CONFIGURATION) -v quiet -nologo
	@PORT=$(PORT) exec dotnet src/Berth.Local/bin/$(CONFIGURATION)/net10.0/Berth.Local.dll

build: ## compile everything
	@dotnet build Operator.sln -c $(CONFIGURATION) -v quiet -nologo

test: ## all tests; BERTH_TEST_KUBECONFIG=... runs the cluster suites there too
	@CONFIGURATION=$(CONFIGURATION) tests/run

conformance: ## the API conformance suite alone, against Kube.Server and BERTH_TEST_KUBECONFIG
	@CONFIGURATION=$(CONFIGURATION) tests/run Kube.Conformance

bench: ## one figure a line, peers measured in the same run
	@dotnet run --project tests/Benchmarks -c Release

crds: ## write crds/ and the chart's copy anew from the C# types
	@dotnet run --project src/Berth.Operator -- crds --output crds
	@cp crds/*.yaml charts/berth/crds/

images: ## container images of operator, edge and studio (BASE=image, TAG=dev); berth-postgres: src/images/build
	@src/images/build $(if $(BASE),--base $(BASE)) --tag $(TAG)

clean: ## remove what was built; keeps .local/
	@find src tests -type d \( -name bin -o -name obj \) -prune -exec rm -rf {} +
