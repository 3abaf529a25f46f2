#!/usr/bin/env bash
# Sets up the project in .venv and passes every check: style, types, data dictionary, tests.
set -euo pipefail
cd "$(dirname "$0")"
. ./setup.sh
ruff check .
ruff format --check --quiet .
mypy
python -m pcc_pipeline.tables.dictionary --check docs/data-dictionary.md
mkdocs build --strict --quiet --site-dir "$(mktemp -d)"
pytest -n 2 --dist loadfile --no-loadscope-reorder "$@"
