"""Puts objects together on the server: a multipart upload whose parts it copies itself."""

import contextlib
from collections.abc import Iterator, Sequence
from typing import Any

from sa1b_captions.storage.s3_upload import Send

LEAST_PART_BYTES = 5 * 1024 * 1024
"""Size of a part below which S3 takes none but the last."""

MOST_PART_BYTES = 1 << 30
"""Bytes of one copy; S3 takes five times as many, and answers when it is done."""

Range = tuple[str, int, int]
"""Name of an object, first byte, and number of bytes."""


def copy_objects(send: Send, bucket: str, parts: Sequence[tuple[str, int]], name: str) -> None:
    """Make an object of others, one after the other.

    Args:
        send: of the bucket.
        parts: name and bytes of each of the others.
        name: of the object.

    Raises:
        What boto3 raises; nothing is left behind then.
    """
    source: Any
    if len(parts) == 1 and parts[0][1] <= MOST_PART_BYTES:
        source = {"Bucket": bucket, "Key": parts[0][0]}
        send("copy_object", Key=name, CopySource=source)
        return
    if sum(size for _, size in parts) <= LEAST_PART_BYTES:
        body = b"".join(_read(send, (part, 0, size)) for part, size in parts)
        send("put_object", Key=name, Body=body)
        return
    upload: Any = {"Key": name}
    upload["UploadId"] = send("create_multipart_upload", Key=name)["UploadId"]
    try:
        done: list[Any] = []
        for ranges in plan_parts(parts):
            number = len(done) + 1
            if len(ranges) == 1 and ranges[0][2] >= LEAST_PART_BYTES:
                part, offset, size = ranges[0]
                reply = send(
                    "upload_part_copy",
                    **upload,
                    PartNumber=number,
                    CopySource={"Bucket": bucket, "Key": part},
                    CopySourceRange=f"bytes={offset}-{offset + size - 1}",
                )["CopyPartResult"]
            else:
                body = b"".join(_read(send, one) for one in ranges)
                reply = send("upload_part", **upload, PartNumber=number, Body=body)
            done.append({"PartNumber": number, "ETag": reply["ETag"]})
        send("complete_multipart_upload", **upload, MultipartUpload={"Parts": done})
    except BaseException:
        with contextlib.suppress(Exception):  # the error that led here says more
            send("abort_multipart_upload", **upload)
        raise


def plan_parts(parts: Sequence[tuple[str, int]]) -> Iterator[list[Range]]:
    """Ranges of the objects, in order: one of its own to be copied, or some to be read together.

    What is read is as little as makes a part: an object that is too short, and of the next one
    what is lacking.
    """
    short: list[Range] = []
    for name, size in parts:
        offset = 0
        while offset < size:
            left, lacking = size - offset, LEAST_PART_BYTES - sum(one[2] for one in short)
            if short:
                take = min(lacking, left)
            else:
                take = left if left <= MOST_PART_BYTES + LEAST_PART_BYTES else MOST_PART_BYTES
            if not short and take >= LEAST_PART_BYTES:
                yield [(name, offset, take)]
            else:
                short.append((name, offset, take))
                if take >= lacking:
                    yield short
                    short = []
            offset += take
    if short:
        yield short


def _read(send: Send, what: Range) -> bytes:
    name, offset, size = what
    if not size:
        return b""
    reply = send("get_object", Key=name, Range=f"bytes={offset}-{offset + size - 1}")
    data: bytes = reply["Body"].read()
    return data
