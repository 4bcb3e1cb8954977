"""An S3 store on 127.0.0.1 that answers where SeaweedFS does, /healthz included: moto's server.

python -m tests.support.s3_stand_in 8333
"""

import sys
from collections.abc import Iterable
from typing import Any

from moto.moto_server.werkzeug_app import DomainDispatcherApplication, create_backend_app
from werkzeug.serving import run_simple
from werkzeug.wrappers import Response


class StandIn:
    """moto's application, and before it the address that tells health."""

    def __init__(self) -> None:
        self._moto = DomainDispatcherApplication(create_backend_app)

    def __call__(self, environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        """Answer one request."""
        if environ["PATH_INFO"] == "/healthz":
            return Response("ok")(environ, start_response)
        answer: Iterable[bytes] = self._moto(environ, start_response)
        return answer


if __name__ == "__main__":
    run_simple("127.0.0.1", int(sys.argv[1]), StandIn(), threaded=True)
