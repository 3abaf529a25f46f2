# Makes .venv with the locked versions and activates it: `. ./setup.sh`. Needs Python 3.11 to 3.13 and PyPI alone.
if ! command -v uv >/dev/null; then
    python3 -m venv .uv && .uv/bin/pip install --quiet --disable-pip-version-check uv
    PATH="$PWD/.uv/bin:$PATH"
fi
# Compiled once here, not by each first start of a process.
uv sync --locked --quiet --compile-bytecode
. .venv/bin/activate
# Read from the SQL once here, not by each first start of a process.
python -m pcc_pipeline.calculator.lineage
