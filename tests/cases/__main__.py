"""`python -m tests.cases DIR [CASE …]`: runs every case of a folder and prints each as right or wrong."""

from __future__ import annotations

import sys
from pathlib import Path
from tempfile import TemporaryDirectory

from pcc_pipeline.database import embedded
from pcc_pipeline.installation import Installation
from pcc_pipeline.settings import Settings
from tests.cases.runner import cases, run_case


def main(arguments: list[str]) -> int:
    """Exit code: 0 where every case is right."""
    root, wanted = Path(arguments[0]), set(arguments[1:])
    wrong = 0
    with TemporaryDirectory(prefix="pcc-cases-") as home:
        settings = Settings.at(Path(home))
        try:
            installation = Installation(settings)
            for folder in cases(root):
                if wanted and folder.name not in wanted:
                    continue
                verdict = run_case(installation, folder)
                wrong += bool(verdict.wrong)
                print(f"{'wrong' if verdict.wrong else 'right'}  {verdict.case:12} {verdict.right:>12}", flush=True)  # noqa: T201
                for line in verdict.wrong:
                    print(f"       {line}", flush=True)  # noqa: T201
        finally:
            embedded.release(Path(home))
            embedded.stop(Path(home))
    print(f"{wrong} wrong")  # noqa: T201
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
