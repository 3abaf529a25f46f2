#!/usr/bin/env bash
# Sets up the project in .venv and reconciles a synthetic provider: `./demo.sh [--enti N] [--documents N]`.
set -euo pipefail
cd "$(dirname "$0")"
. ./setup.sh
exec pcc demo "$@"
