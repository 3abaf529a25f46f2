"""PCC's own files: its models, read, written and checked; its answers."""
