"""Reads of published tables, each for one ente: it is asked for here, and the database holds to it too."""
