"""FatturaPA files: opened, read, typed, explained where they are wrong."""
