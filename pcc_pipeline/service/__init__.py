"""The service itself: its levels, its nights, its life and its end.

`calendar` knows holidays and working days; `distribution` splits provider-wide files by ente; `life` says where each
ente stands and whether it is processed; `closing` and `nightly` make the levels of each month; `report` draws them;
`alerts` and `probe` watch; `erasure` ends it. What a level is, is SQL: `dbt_like_sql/models/service`.
"""
