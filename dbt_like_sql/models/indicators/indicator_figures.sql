-- One row per indicator, period and view: the sums that make the figure, and its greatest parts.
-- Key: name, period, view.
{% for figures in ("timeliness_figures", "delay_figures", "interest_figures") %}
{% if not loop.first %}
union all
{% endif %}
select ente, name, period, view, numerator, denominator, parts, by_receipt, closes_on, greatest_parts
from {{ figures }}
{% endfor %}
