"""`python -m pcc_pipeline` is the command `pcc`."""

from contextlib import suppress

from pcc_pipeline.loading import loading

with loading():
    from pcc_pipeline.cli import app
    from pcc_pipeline.scratch import settle
    from pcc_pipeline.settings import Settings


def main() -> None:
    """The command `pcc`, as a process of its own."""
    with suppress(ValueError):  # a wrong setting is told by the command that needs it
        settle(Settings.from_environment())
    app()


if __name__ == "__main__":
    main()
