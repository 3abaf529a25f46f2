"""Reports for an ente and for the provider: one set of facts, written as XLSX, HTML, PDF, CSV and JSON.

`facts` reads what is published, `pictures` draws it once for all formats, `book`, `page` and `paper` write it, `art33` is the
table that every ente has to publish, `write` puts all of them into the installation's folder. Nothing is computed here that no
model says; texts are Italian.
"""
