"""Which of the machine's own variables keeps HTTP from working: certificates and proxies.

HTTP libraries read them unasked, and say what is wrong without saying where it stands.
"""

import contextlib
import re
from collections.abc import Iterator, Mapping
from pathlib import Path

from sa1b_captions.errors import CaptioningError, SettingsError
from sa1b_captions.settings.reading import environment

PROXIES = ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY")
S3_PROXIES = ("HTTP_PROXY", "HTTPS_PROXY")
CERTIFICATES = ("SSL_CERT_FILE", "SSL_CERT_DIR")
S3_CERTIFICATES = ("AWS_CA_BUNDLE", "REQUESTS_CA_BUNDLE")
KEYS = ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN")

_SCHEMES = ("http", "https")


@contextlib.contextmanager
def naming_variables(what: str) -> Iterator[None]:
    """Around what makes a client: its errors become a SettingsError that names the variable."""
    try:
        yield
    except CaptioningError:
        raise
    except Exception as error:  # each library has errors of its own for the same few causes
        cause = fault_of_certificates(CERTIFICATES) or fault_of_proxies(brackets=True)
        advice = "check SSL_CERT_FILE, SSLKEYLOGFILE, the proxy variables and NO_PROXY"
        raise SettingsError(f"{what}: {cause or f'{_one_line(error)}; {advice}'}") from None


def fault_of_certificates(names: tuple[str, ...]) -> str:
    """What is wrong with a variable that names a file of certificates; empty if nothing is."""
    variables = environment()
    for name in names:
        value = variables.get(name, "")
        if value and not Path(value).exists():
            return f"{name}={value} does not exist; correct it or unset it"
    value = variables.get("SSLKEYLOGFILE", "")
    if value and not Path(value).parent.is_dir():
        return f"SSLKEYLOGFILE={value} cannot be written; correct it or unset it"
    for name in names:
        value = variables.get(name, "")
        if value and Path(value).is_file() and not _holds_certificates(Path(value)):
            return f"{name}={value} holds no certificate; correct it or unset it"
    return ""


def _holds_certificates(path: Path) -> bool:
    try:
        return b"-----BEGIN" in path.read_bytes()
    except OSError:
        return False


def fault_of_keys() -> str:
    """What is wrong with a variable that holds a key of the store; empty if nothing is.

    A line break at its end, as `echo` leaves one, would stand in a header or change a signature.
    """
    variables = environment()
    for name in KEYS:
        value = variables.get(name, "")
        # A password may hold any letter and blanks; what is sent in a header may not.
        sent = name != "AWS_SECRET_ACCESS_KEY"
        whole = value.isprintable() and value == value.strip()
        if not whole or (sent and re.search(r"[^\x21-\x7e]", value)):
            return f"{name} holds a blank or invisible character; write it without"
    return ""


def fault_of_proxies(names: tuple[str, ...] = PROXIES, *, brackets: bool) -> str:
    """What is wrong with a variable that names a proxy; empty if nothing is.

    Args:
        names: of the variables that are heeded.
        brackets: whether an address in brackets in NO_PROXY is a fault, too.
    """
    variables = environment()
    for name, value in _set(variables, names):
        shown = re.sub("//[^/@]*@", "//…@", repr(value))  # a proxy's login is a secret
        scheme = value.partition("://")[0].lower() if "://" in value else "http"
        if re.search(r"[\x00-\x20\x7f]", value):
            return f"{name}={shown} holds a blank or invisible character; write it without"
        if scheme.startswith("socks"):
            return f"{name}={shown} is a SOCKS proxy, which is not supported; use an HTTP proxy"
        if scheme not in _SCHEMES:
            return f"{name}={shown} is no proxy; write http://host:port"
    for name, value in _set(variables, ("NO_PROXY",)):
        if brackets and "[" in value:
            return f"{name}={value!r}: write IPv6 addresses without brackets, as in ::1"
        if re.search(r"[\x00-\x08\x0a-\x1f\x7f]", value):
            return f"{name}={value!r} holds an invisible character; write it without"
    return ""


def _set(variables: Mapping[str, str], names: tuple[str, ...]) -> Iterator[tuple[str, str]]:
    for name in names:
        for spelling in (name.lower(), name):  # libraries ask in this order
            if value := variables.get(spelling):
                yield spelling, value


def proxies_in_use() -> str:
    """Names of the variables that send requests through a proxy, separated by commas."""
    return ", ".join(name for name, _ in _set(environment(), PROXIES))


def _one_line(error: Exception) -> str:
    return " ".join(str(error).split())[:300]
