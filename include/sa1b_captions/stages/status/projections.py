"""What is projected of each track, for the metrics."""

from sa1b_captions.campaign import Campaign
from sa1b_captions.observing import telemetry
from sa1b_captions.stages.status.status import project_tracks, read_status


def send_projections(campaign: Campaign) -> None:
    """Send what each track will have, if metrics are wanted; reads the campaign's status.

    Raises as `read_status` does.
    """
    if not telemetry.is_on():
        return
    for one in project_tracks(campaign, read_status(campaign)):
        values = {
            telemetry.PROJECTED: one.rows,
            telemetry.PROJECTED_HIGH: one.high,
            telemetry.TARGET: one.target,
        }
        telemetry.send(
            *(
                telemetry.of(metric, value, track=one.track)
                for metric, value in values.items()
                if value is not None
            )
        )
