# Certwheel. `make help` lists what there is.
.DEFAULT_GOAL := help
SHELL := bash
.SHELLFLAGS := -eu -o pipefail -c

# Node 24 is a dependency of the project: nothing but npm has to be on the machine.
export PATH := $(CURDIR)/node_modules/node/bin:$(CURDIR)/node_modules/.bin:$(PATH)
INSTALLED := node_modules/.package-lock.json

.PHONY: help
help: ## List what can be made
	@awk 'BEGIN {FS = ":.*## "} /^[a-z0-9-]+:.*## / {printf "  %-14s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

.PHONY: demo
demo: control-plane ## Watch certificates being rotated on a real API server (DEMO_ROTATIONS=n ends it)
	@node test/demo/main.ts

.PHONY: test
test: test-unit test-e2e ## All tests

.PHONY: test-unit
test-unit: $(INSTALLED) ## The tests of pure code
	node test/run.ts unit

.PHONY: test-e2e
test-e2e: control-plane ## The tests on a real control plane, and of the demo
	node test/run.ts e2e demo

.PHONY: test-chart
test-chart: control-plane chart-tools ## Lint, render, check and install the chart
	node test/run.ts chart

.PHONY: test-monitoring
test-monitoring: control-plane ## Run every alert and every query of the dashboard on a real Prometheus
	node test/run.ts test/monitoring

.PHONY: test-node
test-node: control-plane chart-tools image-tar ## Install the chart on a real node, with real pods (Linux, root; installs Debian packages)
	@node test/cluster/main.ts build-node >/dev/null
	node test/run.ts node

.PHONY: test-authorities
test-authorities: control-plane authority-servers ## Every kind of authority against its real server
	node test/run.ts authorities

.PHONY: bench
bench: control-plane ## Measure, 20 minutes (docs/performance.md)
	node test/bench/main.ts

.PHONY: bench-quick
bench-quick: control-plane ## Measure for 3 minutes; fails on counts alone
	node test/bench/main.ts --quick

.PHONY: generate
generate: $(INSTALLED) ## Write anew what is generated: types, schemas, chart, reference
	node tools/generate.ts

.PHONY: verify
verify: $(INSTALLED) ## Check that what is generated is what is committed
	node tools/generate.ts --check

.PHONY: lint
lint: $(INSTALLED) ## Lint and check the format
	biome check .

.PHONY: format
format: $(INSTALLED) ## Format
	biome check --write .

.PHONY: typecheck
typecheck: $(INSTALLED) ## Check the types
	tsc --noEmit

.PHONY: build
build: $(INSTALLED) ## Bundle the controller into dist/certwheel.mjs
	node tools/bundle.ts

.PHONY: image-tar
image-tar: $(INSTALLED) ## Make the image, dist/certwheel-image.tar, without a container engine (IMAGE=repository:tag)
	node tools/image/main.ts $(IMAGE)

.PHONY: control-plane
control-plane: $(INSTALLED) ## Find or build kube-apiserver, etcd, kubectl, kube-controller-manager
	@node test/cluster/main.ts build >/dev/null

.PHONY: chart-tools
chart-tools: $(INSTALLED) ## Find or build helm, kubeconform, kube-score
	@node test/chart/tools.ts >/dev/null

.PHONY: authority-servers
authority-servers: $(INSTALLED) ## Find or build the servers that authorities are tested against
	@for programs in test/e2e/authorities/servers/*-programs.ts; do node "$$programs" >/dev/null; done

.PHONY: clean
clean: ## Remove what was built here (the control plane's cache stays)
	rm -rf dist node_modules bench-results.json

$(INSTALLED): package.json package-lock.json
	@command -v npm >/dev/null || { echo "npm is missing; install Node.js 20 or newer with npm" >&2; exit 1; }
	npm ci --no-audit --no-fund --loglevel=error
	@touch $@
