"""What people decide, seen from the work: changed values judged, work lists out and decisions in as files, answers.

What is decided is kept by `pcc_pipeline.review.pairs` and `operation_decisions`; commands and jobs only call this.
"""
