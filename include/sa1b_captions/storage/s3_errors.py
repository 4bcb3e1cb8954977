"""What the refusals of an S3-compatible server mean: which may pass, and what cures the others."""

import contextlib
import datetime as dt
import re
from collections.abc import Iterator, Mapping
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING, Any

from sa1b_captions.errors import (
    CaptioningError,
    MissingKeyError,
    PermanentError,
    RetryableError,
    SettingsError,
)
from sa1b_captions.settings.network import S3_PROXIES, fault_of_proxies

if TYPE_CHECKING:
    from botocore.exceptions import ClientError

MOST_SKEW = dt.timedelta(minutes=15)
"""How far S3 lets a request's time be from its own."""

CHECKSUM_CURE = (
    "if the server does not know the x-amz-checksum headers, set "
    "AWS_REQUEST_CHECKSUM_CALCULATION=when_required (docs/object-stores.md)"
)

_LASTING_STATUSES = (501, 505, 507)
_FULL = re.compile(
    r"quota|storage.?full|insufficient.?storage|(storage|capacity).?cap|cap.?exceeded|disk.?full",
    re.IGNORECASE,
)
_CHECKSUM = re.compile(r"checksum|trailer|x-amz-sdk|content-?sha256", re.IGNORECASE)
_CHECKSUM_REFUSALS = frozenset(
    {
        *("NotImplemented", "InvalidRequest", "InvalidArgument", "XAmzContentSHA256Mismatch"),
        *("BadDigest", "SignatureDoesNotMatch", "Unauthorized", "MissingContentLength", "501"),
    }
)
"""With these, servers that do not know the checksum headers refuse a request: R2 says
NotImplemented or Unauthorized, B2 InvalidArgument, GCS and old Ceph SignatureDoesNotMatch."""


@contextlib.contextmanager
def store_errors(key: str, store_url: str) -> Iterator[None]:
    """Turn what boto3 raises about a key into this package's errors."""
    from boto3.exceptions import Boto3Error
    from botocore.exceptions import (
        BotoCoreError,
        ClientError,
        HTTPClientError,
        NoCredentialsError,
        ParamValidationError,
        PartialCredentialsError,
        ProxyConnectionError,
        SSLError,
    )
    from botocore.parsers import ResponseParserError

    where = f"{store_url}/{key}"
    try:
        with _naming_settings(where):
            yield
    except (NoCredentialsError, PartialCredentialsError) as error:
        raise PermanentError(
            f"{where}: {error}; set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or a profile"
        ) from error
    except ClientError as error:
        raise _refusal(error, key, store_url) from error
    except ParamValidationError as error:
        raise PermanentError(f"{where}: {_one_line(error)}") from error
    except SSLError as error:
        if "CERTIFICATE_VERIFY_FAILED" not in str(error):
            raise RetryableError(f"{where}: {error}") from error
        raise PermanentError(
            f"{where}: the server's certificate is not trusted ({error}); set AWS_CA_BUNDLE to a "
            "file that holds its authority"
        ) from error
    except ResponseParserError as error:
        raise RetryableError(
            f"{where}: the answer is not S3's ({_one_line(error)}); check that "
            "CAPTIONS_S3_ENDPOINT_URL names the server itself"
        ) from error
    except (BotoCoreError, Boto3Error) as error:
        # The first stands for what boto3 did not expect, as of an address that makes no sense.
        if type(error) is HTTPClientError or isinstance(error, ProxyConnectionError):
            fault = fault_of_proxies(S3_PROXIES, brackets=False)
            if fault:
                raise SettingsError(f"{where}: {fault}") from error
        raise RetryableError(f"{where}: {_one_line(error)}") from error


@contextlib.contextmanager
def _naming_settings(where: str) -> Iterator[None]:
    """Name the settings that boto3 looks at only with the first request."""
    from botocore.exceptions import EndpointProviderError

    try:
        yield
    except EndpointProviderError as error:
        raise SettingsError(
            f"{where}: {_one_line(error)}; check CAPTIONS_S3_ENDPOINT_URL"
        ) from error
    except (FileNotFoundError, NotADirectoryError, IsADirectoryError, PermissionError) as error:
        # A variable such as AWS_WEB_IDENTITY_TOKEN_FILE names the file.
        raise SettingsError(
            f"{where}: {_one_line(error)}; check the AWS variables and files"
        ) from error


def _one_line(error: Exception) -> str:
    return " ".join(str(error).split())[:500]


def error_code(error: "ClientError") -> tuple[str, int]:
    """S3's code of a refusal, empty if it has none, and the HTTP status."""
    code = str(error.response.get("Error", {}).get("Code", ""))
    return code, error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)


def may_dislike_checksums(error: "ClientError") -> bool:
    """Whether the same request without x-amz-checksum headers may succeed."""
    code, status = error_code(error)
    return status in (400, 401, 403, 411, 501) and (
        code in _CHECKSUM_REFUSALS or bool(_CHECKSUM.search(str(error)))
    )


def may_be_done(error: Exception) -> bool:
    """Whether a request that ended with this may have had its effect all the same."""
    from botocore.exceptions import ClientError, HTTPClientError

    if not isinstance(error, ClientError):
        return isinstance(error, HTTPClientError)
    code, status = error_code(error)
    return (
        code == "NoSuchUpload"
        or status == 404
        or (status >= 500 and status not in _LASTING_STATUSES)
    )


def _refusal(error: "ClientError", key: str, store_url: str) -> CaptioningError:
    where = f"{store_url}/{key}"
    code, status = error_code(error)
    if code == "NoSuchBucket":
        return PermanentError(f"{where}: the bucket does not exist; create it")
    if code == "NoSuchUpload":
        return RetryableError(f"{where}: the upload was aborted: another process finished it")
    if code == "InvalidRange" or status == 416:
        return PermanentError(f"{where} is shorter than its index says")
    if code in ("NoSuchKey", "404") or status == 404:
        return MissingKeyError(key, store_url)
    if clock := _wrong_clock(error.response, code, status):
        return RetryableError(f"{where}: {clock} ({error})")
    passing = status in (408, 429) or (status >= 500 and status not in _LASTING_STATUSES)
    if _is_full(error, status):
        return PermanentError(
            f"{where}: {error}; the store is full: free space or raise the quota, then run it again"
        )
    if passing:
        return RetryableError(f"{where}: {error}")
    return PermanentError(f"{where}: {error}{_cure(error, code, status)}")


def _is_full(error: "ClientError", status: int) -> bool:
    """Whether there is no room; a limit on requests per second is often called a quota, too."""
    text = str(error)
    if status in (429, 503) or "rate" in re.findall(r"[a-z]+", text.lower()):
        return False
    return status == 507 or bool(_FULL.search(text))


def _cure(error: "ClientError", code: str, status: int) -> str:
    if status == 403 and code in ("AccessDenied", "Forbidden", "403", ""):
        reads = error.operation_name in ("GetObject", "HeadObject")
        return (
            "; a store also answers so for an object that is not there, where the account lacks "
            "s3:ListBucket: grant it on the bucket, with s3:GetObject"
            if reads
            else f"; the account may not do this ({error.operation_name})"
        )
    if code == "AuthorizationHeaderMalformed":
        return "; set AWS_DEFAULT_REGION to the server's region"
    return f"; {CHECKSUM_CURE}" if may_dislike_checksums(error) else ""


def server_time(reply: Mapping[str, Any]) -> dt.datetime | None:
    """When the server says it answered, from a reply's metadata; None when it does not say."""
    try:
        date = parsedate_to_datetime(reply.get("HTTPHeaders", {}).get("date", ""))
    except ValueError:
        return None
    return date.replace(tzinfo=dt.UTC)  # HTTP knows no other zone


def _wrong_clock(response: Mapping[str, Any], code: str, status: int) -> str:
    """Sentence on this machine's clock if that is why a request was refused, else empty.

    Signatures hold the time. Only some refusals name the cause: a HEAD has no body to say it in.
    """
    now = dt.datetime.now(dt.UTC)
    server = server_time(response.get("ResponseMetadata", {}))
    is_off = server is not None and abs(server - now) > MOST_SKEW and status in (400, 401, 403)
    if not is_off and code != "RequestTimeTooSkewed":
        return ""
    theirs = f"{server:%Y-%m-%d %H:%M:%S}" if server else "another time"
    return (
        f"this machine's clock is wrong: it says {now:%Y-%m-%d %H:%M:%S} UTC and the store's "
        f"{theirs}, so requests are refused; set the clock (NTP), then run it again"
    )
