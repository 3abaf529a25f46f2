"""The desk's mail: notices of tickets and of published figures go out, what clients write comes in."""

from dagster import DefaultSensorStatus, SensorEvaluationContext, SkipReason, sensor

from assets.resources import Installation
from pcc_pipeline.service.alerts import configuration

#: Seconds between looks.
LOOK = 60


@sensor(
    minimum_interval_seconds=LOOK,
    default_status=DefaultSensorStatus.RUNNING,
    description="Sends the notices of tickets and of published figures, and reads the support mailbox, where alerts.yaml names "
    "them; starts no run.",
)
def support_mail(context: SensorEvaluationContext, installation: Installation) -> SkipReason:
    """Sends what waits and reads what came; what fails is tried again at the next look."""
    asked = configuration(installation.settings)
    if not asked.get("mail") and not asked.get("mailbox"):
        return SkipReason("alerts.yaml names no mail server and no mailbox")
    from imap_tools import ImapToolsError

    from pcc_pipeline.service.news import write_news
    from pcc_pipeline.service.support_mailbox import read_mailbox
    from pcc_pipeline.service.support_notices import send_notices

    try:
        read = read_mailbox(installation)
        came = f"{read.opened} tickets opened, {read.added} messages, {read.left} mails left to look at"
    except (OSError, ImapToolsError, KeyError) as error:
        context.log.error(f"The support mailbox cannot be read ({error}): it is tried again; look at mailbox in alerts.yaml")
        came = "the mailbox could not be read"
    if asked.get("mail"):
        write_news(installation)
    return SkipReason(f"{send_notices(installation)} notices sent; {came}")
