"""Multipart uploads that writers did not finish, and since when each is idle."""

import datetime as dt
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sa1b_captions.storage.s3_errors import server_time

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client


@dataclass(frozen=True, slots=True)
class Upload:
    """An upload that is neither completed nor aborted."""

    target: Any
    """Arguments that name it in a request."""
    started_at: dt.datetime | None


def unfinished_uploads(client: "S3Client", bucket: str, name: str) -> list[Upload]:
    """Uploads of an object, or of all in a folder, whose name ends in a slash.

    Raises what the client raises.
    """
    pages = client.get_paginator("list_multipart_uploads").paginate(Bucket=bucket, Prefix=name)
    return [
        Upload(
            {"Bucket": bucket, "Key": one["Key"], "UploadId": one["UploadId"]},
            one.get("Initiated"),
        )
        for page in pages
        for one in page.get("Uploads", ())
        if one.get("Key") == name or name.endswith("/")
    ]


def idle_s_of(client: "S3Client", upload: Upload) -> float:
    """Seconds since an upload gained its last part, all by the server's clock."""
    pages = list(client.get_paginator("list_parts").paginate(**upload.target))
    parts = [part for page in pages for part in page.get("Parts", ())]
    times = [part.get("LastModified") for part in parts]
    known = [time for time in (upload.started_at, *times) if time is not None]
    now = server_time(pages[-1].get("ResponseMetadata", {}))
    if now is None or not known:
        return 0.0
    return max((now - max(known)).total_seconds(), 0.0)  # servers round up to the next second
