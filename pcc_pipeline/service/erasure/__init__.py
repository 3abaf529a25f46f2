"""The end of the service for one ente: everything that was its is erased, everywhere, and a scan proves it.

`erase` is the only door, `procedure` its steps in order. `traces` says what to look for; `files`, `rewrite`, `provider`
and `databases` erase; `scan` looks whether anything is left; `journal` remembers work under way. What stays is a
receipt (`pcc_pipeline.enti.receipts`).
"""

from pcc_pipeline.service.erasure.procedure import ErasureError, due_enti, erase

__all__ = ["ErasureError", "due_enti", "erase"]
