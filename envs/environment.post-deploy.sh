#!/bin/sh
# Run by `snakemake --sdm conda` in the new environment. SELFINCORRECT_ENVS is this file's folder (workflow/rules/common.smk).
# SELFINCORRECT_LOCK=cpu takes the build of torch for CPUs. The package itself is imported from the workflow's own folder.
# Snakemake makes an environment again when this file changes, so `make lock` writes the digests of the lock files here:
# lock-cpu.txt 633e265d07315ee7673e19ab035b2677afeb8e7bfb6095e6a7cff319b9f6ac3e
# lock-cuda.txt 47a37325f932284330565ba192d480db4d80a37501d45b65570b814b259cbc86
set -eu
lock=${SELFINCORRECT_LOCK:-cuda}
if [ "$lock" = cpu ]; then
  python -m pip install --require-hashes --no-deps --extra-index-url https://download.pytorch.org/whl/cpu -r "$SELFINCORRECT_ENVS/torch-cpu.txt"
fi
python -m pip install --require-hashes -r "$SELFINCORRECT_ENVS/lock-$lock.txt"
