"""The clients' desk: web pages and an API over what is published, in Italian first.

`app` gathers it; `tenancy` keeps enti apart in the database, `accounts` and `sessions` say who is asking,
`queries` read published tables, `pages` and `api` show them. No figure is computed here that a model does not
say, and nothing of Dagster is imported: an upload goes to the same inbox as everything else.
"""
