"""An S3 store in memory for small objects; a pod runs this file with the worker image's Python.

Standard library only. `python store_server.py PORT`; no credentials are checked and nothing
outlives the process.
"""

import datetime as dt
import hashlib
import sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, quote, unquote, urlsplit
from xml.sax.saxutils import escape

OBJECTS: dict[str, bytes] = {}
WRITTEN: dict[str, str] = {}
"""When each object was written, as listings say it."""


def etag(data):
    return f'"{hashlib.md5(data, usedforsecurity=False).hexdigest()}"'


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *_):
        pass

    def key(self):
        return unquote(urlsplit(self.path).path).lstrip("/")

    def do_PUT(self):
        data = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        WRITTEN[self.key()] = dt.datetime.now(dt.UTC).strftime("%Y-%m-%dT%H:%M:%S.000Z")
        OBJECTS[self.key()] = data
        self.reply(200, {"ETag": etag(data)})

    def do_DELETE(self):
        OBJECTS.pop(self.key(), None)
        self.reply(204)

    def do_HEAD(self):
        data = OBJECTS.get(self.key())
        self.reply(404) if data is None else self.reply(200, {"ETag": etag(data)}, data)

    def do_GET(self):
        query = parse_qs(urlsplit(self.path).query, keep_blank_values=True)
        if "list-type" in query:
            self.list_objects(query.get("prefix", [""])[0])
        elif "uploads" in query:
            self.reply(200, body=b"<ListMultipartUploadsResult/>")
        elif self.key() not in OBJECTS:
            self.reply(404, body=b"<Error><Code>NoSuchKey</Code><Message>no key</Message></Error>")
        else:
            self.send_object(OBJECTS[self.key()])

    def send_object(self, data):
        wanted = self.headers.get("Range")
        if wanted is None:
            self.reply(200, {"ETag": etag(data)}, data)
            return
        first, last = wanted.removeprefix("bytes=").split("-")
        part = data[int(first) : int(last) + 1 if last else None]
        where = f"bytes {first}-{int(first) + len(part) - 1}/{len(data)}"
        self.reply(206, {"ETag": etag(data), "Content-Range": where}, part)

    def list_objects(self, prefix):
        bucket = self.key().partition("/")[0]
        keys = sorted(key.removeprefix(f"{bucket}/") for key in OBJECTS if key.startswith(bucket))
        found = "".join(
            f"<Contents><Key>{escape(quote(key))}</Key><Size>{len(OBJECTS[f'{bucket}/{key}'])}</Size>"
            f"<ETag>{escape(etag(OBJECTS[f'{bucket}/{key}']))}</ETag>"
            f"<LastModified>{WRITTEN[f'{bucket}/{key}']}</LastModified></Contents>"
            for key in keys
            if key.startswith(prefix)
        )
        head = "<IsTruncated>false</IsTruncated><EncodingType>url</EncodingType>"
        self.reply(200, body=f"<ListBucketResult>{head}{found}</ListBucketResult>".encode())

    def reply(self, code, headers=None, body=b""):
        self.send_response(code)
        for name, value in (headers or {}).items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)


if __name__ == "__main__":
    ThreadingHTTPServer(("", int(sys.argv[1])), Handler).serve_forever()
