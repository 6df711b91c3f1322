# Two commands matter: `make run` and `make test`. Everything is idempotent and stays inside this folder.
SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:

PYTHON ?= python3
CORES ?= $(shell nproc 2>/dev/null || sysctl -n hw.ncpu)
ARGS ?=
DIR ?= .
BIN := .venv/bin
CODE := selfincorrect scripts bench tests

.PHONY: help run test test-slurm lint format docs simulate scale bench bench-gpu clean

help: ## list what make can do
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 12
	@echo 'variables: CORES=2  PYTHON=python3  DIR=mine (folder of the experiment)  ARGS="--configfile other.yaml" (passed to the command)'

run: .venv/.run ## measure: run the experiment of config.yaml and print its results table
	@echo "== snakemake --cores $(CORES) --directory $(DIR) $(ARGS)"
	@$(BIN)/snakemake --cores $(CORES) --directory "$(DIR)" $(ARGS)
	@$(BIN)/python -m selfincorrect "$(DIR)/results"

test: .venv/.test ## run the whole test suite
	@echo "== pytest"
	@$(BIN)/python -m pytest -n $(CORES) --dist loadgroup $(ARGS)

test-slurm: .venv/.slurm ## run the workflow through a real SLURM of one node (root; Debian's slurmctld, slurmd, slurm-client, munge), some minutes
	@echo "== pytest -m slurm"
	@$(BIN)/python -m pytest -m slurm tests/slurm $(ARGS)

lint: .venv/.test ## check style, types and the workflow
	@echo "== ruff, mypy, snakefmt, snakemake --lint"
	@$(BIN)/ruff check $(CODE)
	@$(BIN)/ruff format --check $(CODE)
	@$(BIN)/mypy
	@$(BIN)/snakefmt --check Snakefile workflow
	@$(BIN)/snakemake --lint

format: .venv/.test ## rewrite the code in its standard layout
	@$(BIN)/ruff check --fix $(CODE)
	@$(BIN)/ruff format $(CODE)
	@$(BIN)/snakefmt Snakefile workflow

docs: .venv/.run ## write the generated parts: configuration schema and README table
	@$(BIN)/python -m selfincorrect.docs

simulate: .venv/.run ## check tests, intervals and power on 10,000 simulated pools: tables and a figure, a quarter of an hour
	@$(BIN)/python -m selfincorrect.simulate results/simulation $(ARGS)

scale: .venv/.run ## plan an experiment on paper: jobs, GPU hours, wall time, disk (ARGS="mine.yaml --gpus 8 64"; default: the whole paper)
	@$(BIN)/python -m selfincorrect.scale $(or $(ARGS),workflow/experiments/paper.yaml)

bench: .venv/.run .venv-bench/.peer ## compare speed with lm-evaluation-harness: results/bench.json and a figure of cost, above an hour on two cores
	@$(BIN)/snakemake --cores $(CORES) resources/models/{smollm2-135m-instruct,gemma-3-270m}/manifest.json resources/datasets/{gsm8k,triviaqa}.parquet
	@$(BIN)/python -m bench.compare results/bench.json --peer .venv-bench/bin/python --threads $(CORES) $(ARGS)
	@$(BIN)/python -m bench.growth results/bench_growth --threads $(CORES)

bench-gpu: .venv/.run ## measure decoding on a GPU beside what the card can do: results/bench_gpu.json, some minutes
	@$(BIN)/snakemake --cores $(CORES) resources/models/smollm2-135m-instruct/manifest.json
	@$(BIN)/python -m bench.gpu results/bench_gpu.json $(ARGS)

clean: ## remove the environment; results/ and resources/ stay
	rm -rf .venv .venv-bench

.venv/.run: envs/requirements.txt pyproject.toml
	@echo "== making the environment in .venv (once, some minutes)"
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "Python 3.11 or later is needed; this is $$($(PYTHON) --version). Give another: make run PYTHON=python3.12"; exit 1; }
	@test -x $(BIN)/python || $(PYTHON) -m venv .venv
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check -r envs/requirements.txt
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
	@touch $@

.venv-bench/.peer: envs/requirements-bench.txt
	@echo "== making the peers' environment in .venv-bench (once, some minutes)"
	@test -x .venv-bench/bin/python || $(PYTHON) -m venv .venv-bench
	@.venv-bench/bin/python -m pip install --quiet --disable-pip-version-check -r envs/requirements-bench.txt
	@touch $@

.venv/.slurm: .venv/.test envs/requirements-slurm.txt
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps -r envs/requirements-slurm.txt
	@touch $@

.venv/.test: .venv/.run envs/requirements-test.txt
	@echo "== adding the test tools to .venv"
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check -r envs/requirements-test.txt
	@touch $@
