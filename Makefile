# Twinmesh's tasks. `make` lists them. Each installs the Debian packages it lacks, or says which and why.

CLUSTER        ?= dev
NODES          ?= 3
ARCH           ?= $(shell go env GOARCH)
MANAGER_IMAGE  ?= localhost/twinmesh-manager:dev
BROKER_IMAGE   ?= localhost/twinmesh-broker:dev

SHELL          := bash
.SHELLFLAGS    := -euo pipefail -c
cluster        := hack/cluster/cluster.sh --name $(CLUSTER)
# On a local cluster of its own; or with CONTEXT, IMAGE (the broker's), MANAGER_IMAGE and STORAGE_CLASS on another one.
demo           := CONTEXT='$(CONTEXT)' STORAGE_CLASS='$(STORAGE_CLASS)' MANAGER_IMAGE='$(MANAGER_IMAGE)' \
	BROKER_IMAGE='$(or $(IMAGE),$(BROKER_IMAGE))' hack/demo/demo.sh
tool            = go tool -modfile=hack/tools/$(1).mod $(1)
# Everything but test/, whose packages need programs from outside of Go.
unit_packages   = $$(go list ./... | grep -v /test/)
interop_part    = $(if $(ONLY)$(GENERATION)$(BROKER),-run '^TestJavaClients$$/$(GENERATION)/^checks.*$(BROKER)' -only '$(ONLY)')
static         := CGO_ENABLED=0 GOOS=linux GOARCH=$(ARCH) go build -trimpath -ldflags '-s -w'

.DEFAULT_GOAL  := help

help: ## List the targets
	@awk 'BEGIN {FS = ":.*## "} /^##@ / {printf "\n%s\n", substr($$0, 5)} /^[a-z0-9-]+:.*## / {printf "  %-16s %s\n", $$1, $$2}' Makefile
	@printf '\nVariables: CLUSTER=%s NODES=%s ARCH=%s MANAGER_IMAGE=%s BROKER_IMAGE=%s\n' \
		$(CLUSTER) $(NODES) $(ARCH) $(MANAGER_IMAGE) $(BROKER_IMAGE)

##@ Try it
demo: deps-java $(if $(CONTEXT),,images cluster-build) ## Pairs of brokers on Kubernetes, and JMS programs that go on while one is killed
	@$(demo) up
demo-down: ## Remove the demo; CONTEXT=... as with demo
	@$(demo) down

##@ Build
build: ## Compile the broker and the operator into bin/
	go build -trimpath -o bin/twinmesh-broker ./cmd/broker
	go build -trimpath -o bin/manager ./cmd/manager
images: deps-images ## Make the images, as archives in bin/images
	$(static) -o bin/linux-$(ARCH)/twinmesh-broker ./cmd/broker
	$(static) -o bin/linux-$(ARCH)/manager ./cmd/manager
	mkdir -p bin/images
	hack/image.sh $(MANAGER_IMAGE) bin/images/manager.tar --target manager --build-arg TARGETARCH=$(ARCH) .
	hack/image.sh $(BROKER_IMAGE) bin/images/broker.tar --target broker --build-arg TARGETARCH=$(ARCH) .
generate: ## Generate code, CRD and roles from their sources
	go generate ./...
clean: ## Remove bin/; the compiled Kubernetes stays in the user's cache
	rm -rf bin

##@ Test
unit: ## The quick loop: all tests that need nothing but Go
	go test $(unit_packages)
test: race interop cluster-test e2e ## All tests
race: deps-race cluster-build ## The unit tests with the race detector, and those that need a real API server
	KUBEBUILDER_ASSETS=$$($(cluster) programs) go test -race -timeout 20m $(unit_packages)
interop: deps-java ## The broker with ActiveMQ's own Java clients; ONLY=TopicChecks GENERATION=javax BROKER=classic for a part, see go doc ./test/interop
	go test -v -count=1 -timeout 20m ./test/interop $(interop_part)
cluster-test: cluster-build ## The local Kubernetes itself
	go test -v -count=1 -timeout 10m ./test/cluster/...
e2e: deps-java images cluster-build ## All of it on the local Kubernetes, while one thing after the other breaks
	go test -v -count=1 -timeout 15m ./test/e2e/...

##@ Measure
bench: ## Messages a second beside a bare append-and-sync loop, memory, time to start; BENCH_FLAGS='--dir D' or '--scale'
	go build -trimpath -o bin/twinmesh-broker ./cmd/broker
	go run ./test/bench --broker bin/twinmesh-broker $(BENCH_FLAGS)

##@ Check
lint: deps-lint ## Formatting, vet, staticcheck, shellcheck, and the rules of who imports whom
	@files=$$(gofmt -l $$(git ls-files '*.go')); [[ -z $$files ]] || { printf 'not gofmt-ed:\n%s\n' "$$files"; exit 1; }
	go vet ./...
	$(call tool,staticcheck) ./...
	shellcheck -x .ci/run $$(git ls-files 'hack/*.sh' | grep -v /lib/)
	go test -count=1 ./broker
check-generated: ## Fail if generating changes anything
	@state() { git status --porcelain; git diff; }; before=$$(state); $(MAKE) --no-print-directory generate; \
	[[ $$before == "$$(state)" ]] || { git status --short; echo "generated files differ: run 'make generate' and commit"; exit 1; }
vulncheck: ## Known vulnerabilities in what is called, where the database of them can be reached
	@report=$$($(call tool,govulncheck) ./... 2>&1) && failed= || failed=1; printf '%s\n' "$$report"; \
	if [[ $$report == *"fetching vulnerabilities:"* ]]; then echo "vulncheck: SKIPPED, not passed: the database of vulnerabilities does not answer"; \
	else [[ -z $$failed ]]; fi

##@ Local Kubernetes (hack/cluster/cluster.sh help tells more)
cluster-build: deps-cluster ## Compile it, once: about 15 minutes on two cores
	@$(cluster) build
cluster-up: cluster-build ## Start cluster CLUSTER with NODES nodes
	@$(cluster) up $(NODES)
	@echo "cluster $(CLUSTER) is up: $(cluster) kubectl get nodes"
cluster-down: ## End it and remove all it made
	@$(cluster) down

deps-%:
	@hack/deps.sh $*

.PHONY: help demo demo-down build images generate clean unit test race interop cluster-test e2e bench lint \
	check-generated vulncheck cluster-build cluster-up cluster-down
