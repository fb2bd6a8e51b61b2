# Every command of the project. `make help` lists them.
SHELL := /bin/bash
CONFIGURATION ?= Release
PORT ?= 8080
BASE ?=
TAG ?=
ENV ?=
ORIGIN ?= http://localhost:$(PORT)

export TAG VALUES CONTEXT NAMESPACE RELEASE TIMEOUT DRY_RUN SKIP_PREFLIGHT PULL CONFIRM REVISION SELFCHECK BERTH_TOOLS IDP_PORT K3S_IMAGE SKIP_BUILD CLUSTER

.PHONY: help run build test bench conformance crds images k3d k3d-down smoke preflight deploy verify rollback clean
.DEFAULT_GOAL := help

help: ## list the commands
	@awk -F':.*## ' '/^[a-z0-9-]+:.*## /{printf "  make %-12s %s\n", $$1, $$2}' Makefile

run: ## Berth on this machine: http://localhost:8080 (PORT=... changes it), data under .local/
	@dotnet build src/Berth.Local/Berth.Local.csproj -c $(CONFIGURATION) -v quiet -nologo
	@PORT='$(PORT)' exec dotnet src/Berth.Local/bin/$(CONFIGURATION)/net10.0/Berth.Local.dll

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
	@src/images/build $(if $(BASE),--base '$(BASE)') --tag '$(or $(TAG),dev)'

k3d: ## a k3d cluster with Traefik and Berth on this machine: http://localhost:8080 (PORT, IDP_PORT, K3S_IMAGE)
	@PORT='$(PORT)' BASE='$(BASE)' src/deploy/k3d up

k3d-down: ## remove that cluster
	@src/deploy/k3d down

smoke: ## sign in and open a workspace at an installation with the development provider (ORIGIN)
	@src/deploy/smoke '$(ORIGIN)'

preflight: ## what would keep the chart from working in the cluster (ENV, VALUES, CONTEXT, PULL=1)
	@src/deploy/deploy preflight '$(ENV)'

deploy: ## install or upgrade there, verify, and go back when it is not well (ENV, TAG, DRY_RUN=1)
	@src/deploy/deploy deploy '$(ENV)'

verify: ## replicas ready, and the self-check from outside (ENV)
	@src/deploy/deploy verify '$(ENV)'

rollback: ## the revision before, or REVISION=n (ENV)
	@src/deploy/deploy rollback '$(ENV)'

clean: ## remove what was built; keeps .local/
	@find src tests -type d \( -name bin -o -name obj \) -prune -exec rm -rf {} +
