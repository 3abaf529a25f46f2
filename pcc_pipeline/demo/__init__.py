"""A synthetic provider: several enti's inboxes with known drift, from a few documents to tens of millions.

Here live the generator, its pools of invented parties and its catalogue of cases. What a case should
come out as is decided by the rules, not here: `Truth` only tells which case was put where.
"""

from pcc_pipeline.demo.provider import Truth, write_provider
from pcc_pipeline.demo.staging import write_staging

__all__ = ["Truth", "write_provider", "write_staging"]
