#!/bin/sh
# Run by `snakemake --sdm conda` in the new environment. SELFINCORRECT_ENVS is this file's folder (workflow/rules/common.smk).
# SELFINCORRECT_LOCK=cpu takes the build of torch for CPUs. The package itself is imported from the workflow's own folder.
# Snakemake makes an environment again when this file changes, so `make lock` writes the digests of the lock files here:
# lock-cpu.txt 3fcedfa74b88e47607325ae3f707647266aff66b99f76d2a241f9a348c303b10
# lock-cuda.txt 86261bb436dfd05bc6fc0aaa43490c241e6036b95e480b93fbccc9288c3a80c4
set -eu
lock=${SELFINCORRECT_LOCK:-cuda}
if [ "$lock" = cpu ]; then
  python -m pip install --require-hashes --no-deps --extra-index-url https://download.pytorch.org/whl/cpu -r "$SELFINCORRECT_ENVS/torch-cpu.txt"
fi
python -m pip install --require-hashes -r "$SELFINCORRECT_ENVS/lock-$lock.txt"
