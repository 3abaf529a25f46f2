"""What starts runs and tells of failures: the inbox sensor and the failure alert."""

from sensors.failures import report_failure
from sensors.inbox import inbox

SENSORS = [inbox, report_failure]
