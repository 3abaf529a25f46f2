"""One calculation of an ente: its inputs, now, as of a past day, or as a forecast."""
