#!/bin/sh
# Run by `snakemake --sdm conda` in the new environment. SELFINCORRECT_ENVS is this file's folder (workflow/rules/common.smk).
# SELFINCORRECT_LOCK=cpu takes the build of torch for CPUs. The package itself is imported from the workflow's own folder.
# Snakemake makes an environment again when this file changes, so `make lock` writes the digests of the lock files here:
# lock-cpu.txt aea1903afd758dbbd27559a5862bea499816864e0d5869b4c3c85861d07e1052
# lock-cuda.txt 44b61db5df67242fb00cd3b59ad568eab641f4c63d9289d6ba8acb907a95c0b1
set -eu
lock=${SELFINCORRECT_LOCK:-cuda}
if [ "$lock" = cpu ]; then
  python -m pip install --require-hashes --no-deps --extra-index-url https://download.pytorch.org/whl/cpu -r "$SELFINCORRECT_ENVS/torch-cpu.txt"
fi
python -m pip install --require-hashes -r "$SELFINCORRECT_ENVS/lock-$lock.txt"
