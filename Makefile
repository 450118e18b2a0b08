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

SUITES ?= unit e2e demo chains

.PHONY: test
test: $(INSTALLED) ## The tests: of pure code, on a real control plane, of the demo, of CA chains (SUITES="..." runs others)
	@node test/run.ts $(SUITES)

# Each has a long form, with what takes too long for CI: make test-node-long.
test-unit: ## The tests of pure code
test-e2e: ## The controller on a real kube-apiserver and etcd
test-demo: ## The demo
test-chains: ## Random CA chains against OpenSSL, Go and Java
test-lint: ## zlint, pkilint and four readers of certificates over what Certwheel writes
test-chart: ## Lint, render, check and install the chart
test-authorities: ## Every kind of authority against its real server
test-monitoring: ## Every alert and every query of the dashboard on a real Prometheus
test-interop: ## Servers, proxies and clients that read the certificates (docs/interop.md; Debian packages are downloaded)
test-revocation: ## Servers that refuse revoked clients, by CRL and by OCSP (docs/revocation.md; Debian packages are downloaded)
test-node: ## The chart on a real node, with real pods (Linux, root; installs Debian packages)
test-versions: ## The oldest Kubernetes that is promised; the long form has one in between

TESTS := $(addprefix test-,unit e2e demo chains lint chart authorities monitoring interop revocation node versions)
.PHONY: $(TESTS) $(TESTS:=-long)
$(TESTS): test-%: $(INSTALLED)
	@node test/run.ts $*
$(TESTS:=-long): test-%-long: $(INSTALLED)
	@node test/run.ts --long $*

.PHONY: test-ca-rotation
test-ca-rotation: $(INSTALLED) ## CA rotations while 200 clients send 10,000 requests to nginx, Go and Java (SEED=n again)
	@node test/run.ts --long test/e2e/ca-rotation

.PHONY: test-shards
test-shards: $(INSTALLED) ## Replicas that share the work, in a storm of kills, freezes and partitions (SEED=n again, STORM_SECONDS=n)
	@node test/run.ts --long test/e2e/shards

.PHONY: lint-certs
lint-certs: test-lint-long ## Lint certificates as Certwheel makes them, and read 10,000 random ones (LINT_SEED=n again)

SECONDS ?= 3600

.PHONY: fuzz-chains
fuzz-chains: $(INSTALLED) ## An hour of random CA chains against OpenSSL, Go and Java (SECONDS=n for less, CHAINS_SEED=n again)
	@CHAINS_SECONDS=$(SECONDS) node test/pki/judge.test.ts

.PHONY: test-limits
test-limits: control-plane ## One tenant's flood within the chart's memory (Linux, root; 10 minutes)
	node test/limits/main.ts

.PHONY: verify-backend
verify-backend: $(INSTALLED) ## Run the conformance suite against a real service: make verify-backend BACKEND=awsPrivateCA
	@node test/e2e/backends/account.ts

.PHONY: bench
bench: control-plane ## Measure, 20 minutes (docs/performance.md)
	node test/bench/main.ts

.PHONY: bench-quick
bench-quick: control-plane ## Measure for 3 minutes; fails on counts alone
	node test/bench/main.ts --quick

.PHONY: bench-handshakes
bench-handshakes: $(INSTALLED) ## Measure what handshakes with client certificates cost, 2 minutes (docs/guides/cost.md)
	node test/bench/handshakes/main.ts

.PHONY: bench-policy
bench-policy: $(INSTALLED) ## Measure decisions by issuance rules, 25 seconds
	node test/bench/policy.ts

.PHONY: bench-keystores
bench-keystores: $(INSTALLED) ## Measure what key stores and trust stores cost, a minute
	node test/bench/keystores.ts

.PHONY: bench-revocation
bench-revocation: control-plane ## Measure what revocation lists and OCSP answers cost (docs/revocation.md)
	node test/bench/revocation/main.ts

.PHONY: bench-ca-rotation
bench-ca-rotation: control-plane ## Measure a CA rotation of 10,000 certificates, 8 minutes
	node test/bench/ca-rotation.ts

.PHONY: bench-trust-targets
bench-trust-targets: control-plane ## Measure a trust bundle in 1,000 namespaces, 2 minutes
	node test/bench/trust-targets.ts

.PHONY: bench-status-writes
bench-status-writes: control-plane ## Measure what a status write costs the API server, beside a schema that checks nothing, 2 minutes
	node test/bench/status-writes/main.ts

.PHONY: bench-peers
bench-peers: control-plane ## Measure Certwheel beside cert-manager, 5 minutes (docs/performance.md)
	node test/bench/peers/main.ts

CERTIFICATES ?= 100000
OUT ?= dist/bench-scale.json

.PHONY: bench-scale
bench-scale: control-plane ## Measure 100,000 certificates, an hour or more (CERTIFICATES=n for fewer, OUT=file for the figures)
	node test/bench/scale/main.ts --certificates $(CERTIFICATES) --out $(OUT)

.PHONY: generate
generate: $(INSTALLED) ## Write anew what is generated: types, schemas, chart, reference, Dockerfile
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

.PHONY: image-pkcs11
image-pkcs11: $(INSTALLED) ## Make the image with PKCS#11 support, dist/certwheel-pkcs11-image.tar (needs g++)
	node tools/image/main.ts --pkcs11 $(IMAGE)

.PHONY: control-plane
control-plane: $(INSTALLED) ## Find or build kube-apiserver, etcd, kubectl, kube-controller-manager
	@node test/programs/main.ts etcd kube-apiserver kubectl kube-controller-manager >/dev/null

.PHONY: clean
clean: ## Remove what was built here (the control plane's cache stays)
	rm -rf dist node_modules bench-results.json

$(INSTALLED): package.json package-lock.json
	@command -v npm >/dev/null || { echo "npm is missing; install Node.js 20 or newer with npm" >&2; exit 1; }
	npm ci --no-audit --no-fund --loglevel=error
	@touch $@
