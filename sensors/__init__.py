"""What starts runs and tells of failures: the inbox and connection sensors, the failure and deadline alerts; the support
desk's mail; and what a killed worker left."""

from sensors.connections import connections
from sensors.deadlines import deadline_alerts
from sensors.failures import report_failure
from sensors.inbox import inbox
from sensors.service import missed_nights, service_alerts
from sensors.support import support_mail
from sensors.workers import lost_runs

SENSORS = [
    inbox,
    connections,
    report_failure,
    deadline_alerts,
    service_alerts,
    missed_nights,
    support_mail,
    lost_runs,
]
