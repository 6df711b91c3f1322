# Two commands matter: `make run` and `make test`. Everything is idempotent and stays inside this folder.
SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:

PYTHON ?= python3
CORES ?= $(shell nproc 2>/dev/null || sysctl -n hw.ncpu)
ARGS ?=
DIR ?= .
# cpu or cuda: a new environment from that lock file, with hashes; empty: the versions of requirements.txt, as pip finds them.
LOCK ?=
TORCH_CPU ?= --extra-index-url https://download.pytorch.org/whl/cpu
BIN := .venv/bin
CODE := selfincorrect scripts bench tests
# Errors alone are shown.
PIP := $(BIN)/python -m pip install -qq --disable-pip-version-check
# On Linux the index gives the CUDA build of torch, 5 GB, which a machine without a GPU has no use for.
WITHOUT_GPU := $(shell test "$$(uname)" != Linux -o -e /dev/nvidiactl -o -e /dev/kfd || echo yes)
COMPILE := $(BIN)/uv --no-config pip compile --quiet --no-annotate --universal --python-version 3.11 --generate-hashes --custom-compile-command "make lock"

ifneq ($(LOCK),)
ifeq ($(filter cpu cuda,$(LOCK)),)
$(error LOCK is $(LOCK); it takes cpu or cuda)
endif
ifneq ($(LOCK),$(shell cat .venv/.run 2>/dev/null))
.PHONY: .venv/.run  # made from another lock or none: made again
endif
endif

# Arguments come to a recipe through the environment and are split into words there: nothing in them is run. Quotes hold words together.
export ARGS CORES DIR RUN FILES
READ_ARGS = mapfile -t args < <($(PYTHON) -c 'import os, shlex; print(*shlex.split(os.environ["ARGS"]), sep="\n", end="")')

.PHONY: help run reproduce site test test-pages test-slurm test-faults lint format docs simulate scale bench bench-gpu lock pip-audit clean

help: ## list what make can do
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 12
	@echo 'variables: CORES=2  V=1 (all that a run says)  PYTHON=python3  LOCK=cpu|cuda (install with hashes)  DIR=mine (folder of the experiment)  ARGS="--configfile other.yaml" (passed to the command)'

run: .venv/.run ## measure: run the experiment of config.yaml and print its results table
	@printf '== selfincorrect run --cores %s --directory %s %s\n' "$$CORES" "$$DIR" "$$ARGS"
	@$(READ_ARGS); $(BIN)/selfincorrect run --cores "$$CORES" --directory "$$DIR" $(if $(V),--verbose) "$${args[@]}"

reproduce: .venv/.run ## run a recorded run again in a new folder and compare: make reproduce RUN=mine/results/run.json DIR=again (YES=1, FORCE=1, FILES=…)
	@test -n "$${RUN:-}" || { echo "Name the record of a finished run: make reproduce RUN=mine/results/run.json [DIR=reproduced]"; exit 1; }
	@$(READ_ARGS); test "$$DIR" != . || DIR=reproduced; $(BIN)/selfincorrect reproduce "$$RUN" --directory "$$DIR" --cores "$$CORES" \
	  $(if $(YES),--yes) $(if $(FORCE),--force) $(if $(FILES),--files "$$FILES") -- "$${args[@]}"

site: .venv/.pages ## build the pages with search, tutorial, how-tos and reference into site/
	@NO_MKDOCS_2_WARNING=1 $(BIN)/python -m mkdocs build --quiet
	@echo "site/index.html"

test: .venv/.test ## run the whole test suite
	@echo "== pytest"
	@$(READ_ARGS); $(BIN)/python -m pytest -n "$$CORES" --dist loadgroup "$${args[@]}"

test-slurm: .venv/.slurm ## run the workflow through a real SLURM of one node (root; Debian's slurmctld, slurmd, slurm-client, munge), some minutes
	@echo "== pytest -m slurm"
	@$(READ_ARGS); $(BIN)/python -m pytest -m slurm tests/slurm "$${args[@]}"

test-pages: .venv/.pages ## open the report in a browser (Debian's chromium, or another), build the site, run the notebook
	@echo "== pytest -m pages"
	@$(READ_ARGS); $(BIN)/python -m pytest -m pages tests/pages "$${args[@]}"

test-faults: .venv/.test ## kill runs 200 times at random moments, tell them to end 100 times, fill the disk at every stage: half an hour
	@echo "== pytest -m faults"
	@$(READ_ARGS); $(BIN)/python -m pytest -m faults tests/faults "$${args[@]}"
	@$(BIN)/python -m tests.faults.kills results/faults.json --kills 200
	@$(BIN)/python -m tests.faults.terms results/terms.json --terms 100

lint: .venv/.test ## check style, types and the workflow
	@echo "== ruff, mypy, import contracts, spelling, snakefmt, snakemake --lint"
	@$(BIN)/ruff check $(CODE)
	@$(BIN)/ruff format --check $(CODE)
	@$(BIN)/mypy
	@$(BIN)/lint-imports --no-cache
	@$(BIN)/codespell README.md CONTRIBUTING.md SECURITY.md docs $(CODE) workflow --skip "*.csv,*.jsonl,*.yaml" --ignore-words-list rouge,cancell,limt,stoped
	@$(BIN)/snakefmt --check Snakefile workflow
	@$(BIN)/snakemake --lint

format: .venv/.test ## rewrite the code in its standard layout
	@$(BIN)/ruff check --fix $(CODE)
	@$(BIN)/ruff format $(CODE)
	@$(BIN)/snakefmt Snakefile workflow

docs: .venv/.run ## write the generated pages: schema and table of the configuration, columns of tables
	@$(BIN)/selfincorrect reference

simulate: .venv/.run ## check tests, intervals and power on 20,000 simulated pools of each kind: tables and figures, an hour on two cores
	@$(READ_ARGS); $(BIN)/selfincorrect simulate results/simulation "$${args[@]}"

scale: .venv/.run ## plan an experiment on paper: jobs, GPU hours, wall time, disk (ARGS="mine.yaml --gpus 8 64"; default: the whole paper)
	@$(READ_ARGS); test $${#args[@]} -gt 0 || args=(workflow/experiments/paper.yaml); $(BIN)/selfincorrect scale "$${args[@]}"

bench: .venv/.run .venv-bench/.peer ## compare speed with lm-evaluation-harness: results/bench.json and a figure of cost, above an hour on two cores
	@$(BIN)/snakemake --cores "$$CORES" resources/models/{smollm2-135m-instruct,gemma-3-270m}/manifest.json resources/datasets/{gsm8k,triviaqa}.parquet --configfile workflow/experiments/ways-of-asking.yaml
	@$(READ_ARGS); $(BIN)/python -m bench.compare results/bench.json --peer .venv-bench/bin/python --threads "$$CORES" "$${args[@]}"
	@$(BIN)/python -m bench.growth results/bench_growth --threads "$$CORES"

bench-gpu: .venv/.run ## measure decoding on a GPU beside what the card can do: results/bench_gpu.json, some minutes
	@$(BIN)/snakemake --cores "$$CORES" resources/models/smollm2-135m-instruct/manifest.json
	@$(READ_ARGS); $(BIN)/python -m bench.gpu results/bench_gpu.json "$${args[@]}"

# One source, requirements.txt: every package of it with the hashes of all its files on the package index (a second on the
# network, no wheel is fetched). torch from PyPI is the CUDA build and brings CUDA's libraries; the build for CPUs is on an
# index of its own, so its line is kept in torch-cpu.txt (with another version of torch, write its hashes there). Conda
# environments are known to Snakemake by the files beside environment.yaml, so the script that installs names its locks.
lock: .venv/.lock ## write envs/lock-cpu.txt and envs/lock-cuda.txt from envs/requirements.txt (after a change of versions)
	@$(COMPILE) --output-file envs/lock-cuda.txt envs/requirements.txt
	@{ $(COMPILE) --no-deps --no-emit-package torch envs/requirements.txt; cat envs/torch-cpu.txt; } > envs/.lock-cpu.tmp
	@mv envs/.lock-cpu.tmp envs/lock-cpu.txt
	@for lock in cpu cuda; do sed -i "s/^# lock-$$lock.txt .*/# lock-$$lock.txt $$(sha256sum < envs/lock-$$lock.txt | cut -d' ' -f1)/" envs/environment.post-deploy.sh; done

pip-audit: .venv-audit/.made ## look for known weaknesses of the pinned libraries (asks the package index)
	@$(READ_ARGS); .venv-audit/bin/pip-audit --strict --disable-pip --require-hashes -r envs/lock-cuda.txt "$${args[@]}"

.venv-audit/.made: envs/requirements-audit.txt
	@test -x .venv-audit/bin/python || $(PYTHON) -m venv .venv-audit
	@.venv-audit/bin/python -m pip install --quiet --disable-pip-version-check -r envs/requirements-audit.txt
	@touch $@

clean: ## remove the environment; results/ and resources/ stay
	rm -rf .venv .venv-bench .venv-audit

.venv/.run: envs/requirements.txt pyproject.toml $(if $(LOCK),envs/lock-$(LOCK).txt)
	@echo "== making the environment in .venv (once, some minutes)"
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "Python 3.11 or later is needed; this is $$($(PYTHON) --version). Give another: make run PYTHON=python3.12"; exit 1; }
ifeq ($(LOCK),)
	@test -x $(BIN)/python || $(PYTHON) -m venv .venv
	@$(if $(WITHOUT_GPU),echo "   no GPU is seen: the build of torch for CPUs"; $(PIP) --no-deps --retries 0 --timeout 10 $(TORCH_CPU) "$$(grep '^torch==' envs/requirements.txt)")
	@$(PIP) -r envs/requirements.txt
else
	@$(PYTHON) -m venv --clear .venv
ifeq ($(LOCK),cpu)
	@$(PIP) --require-hashes --no-deps $(TORCH_CPU) -r envs/torch-cpu.txt
endif
	@$(PIP) --require-hashes -r envs/lock-$(LOCK).txt
endif
	@$(PIP) --no-deps --no-build-isolation --editable .
	@echo "$(LOCK)" > $@

.venv/.lock: .venv/.run envs/requirements-lock.txt
	@$(PIP) -r envs/requirements-lock.txt
	@touch $@

.venv-bench/.peer: envs/requirements-bench.txt
	@echo "== making the peers' environment in .venv-bench (once, some minutes)"
	@test -x .venv-bench/bin/python || $(PYTHON) -m venv .venv-bench
	@.venv-bench/bin/python -m pip install -qq --disable-pip-version-check -r envs/requirements-bench.txt
	@touch $@

.venv/.slurm: .venv/.test envs/requirements-slurm.txt
	@$(PIP) --no-deps -r envs/requirements-slurm.txt
	@touch $@

.venv/.pages: .venv/.test envs/requirements-pages.txt
	@$(PIP) --no-deps -r envs/requirements-pages.txt
	@touch $@

.venv/.test: .venv/.run envs/requirements-test.txt
	@echo "== adding the test tools to .venv"
	@$(PIP) -r envs/requirements-test.txt
	@touch $@
