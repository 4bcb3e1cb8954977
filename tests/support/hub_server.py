"""A local server that speaks the protocols of both hubs, as far as their clients need.

Blobs are kept by their SHA-256 whether or not a commit names them, as the hubs do. `log` holds
method and path of each request, `authorizations` what each said of itself.
"""

import base64
import contextlib
import hashlib
import json
import threading
from collections.abc import Callable, Iterator
from email.parser import BytesParser
from email.policy import HTTP
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

from sa1b_captions.release.hubs.hub import git_sha1

TOKEN = "hub-token-of-these-tests"  # noqa: S105
LFS = (".parquet", ".jsonl", ".safetensors")
"""Ends of the names of files that are not kept as git blobs."""

Files = dict[str, bytes]


class HubServer:
    """Both hubs in one; `repositories` holds files by repository and branch."""

    def __init__(self) -> None:
        self.repositories: dict[str, dict[str, Files]] = {}
        self.private: set[str] = set()
        self.blobs: dict[str, bytes] = {}
        self.commits: list[dict[str, Any]] = []
        self.log: list[tuple[str, str]] = []
        self.authorizations: list[str | None] = []
        self.faults: list[Callable[[str, str], int | None]] = []
        """Asked before each request with method and path; a status ends it."""
        self.sent_bytes = 0
        self._http = _Server(self)
        self.url = f"http://127.0.0.1:{self._http.server_port}"
        self.lock = threading.RLock()

    def files(self, repository: str, branch: str = "main") -> Files:
        """Files of a branch."""
        return self.repositories[repository][branch]

    def uploads(self) -> list[str]:
        """Paths of the blobs that were sent."""
        return [path for method, path in self.log if method == "PUT"]

    @contextlib.contextmanager
    def running(self) -> Iterator["HubServer"]:
        """Answer requests while the block runs."""
        thread = threading.Thread(target=self._http.serve_forever, args=(0.01,), daemon=True)
        thread.start()
        try:
            yield self
        finally:
            self._http.shutdown()
            self._http.server_close()
            thread.join()


class _Refused(Exception):
    def __init__(self, status: int, code: str = "", message: str = "") -> None:
        super().__init__(message)
        self.status, self.code, self.message = status, code, message


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self, hub: HubServer) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.hub = hub


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    query: dict[str, str]

    @property
    def hub(self) -> HubServer:
        """Whose requests these are."""
        server = self.server
        assert isinstance(server, _Server)
        return server.hub

    def log_message(self, *_: object) -> None:
        """Say nothing."""

    def handle_one(self) -> None:
        parts = urlsplit(self.path)
        path = unquote(parts.path)
        self.query = {name: values[0] for name, values in parse_qs(parts.query).items()}
        body = self._body()
        with self.hub.lock:
            self.hub.log.append((self.command, path))
            self.hub.authorizations.append(self.headers.get("Authorization"))
        statuses = [fault(self.command, path) for fault in self.hub.faults]
        if status := next((one for one in statuses if one), None):
            return self._answer({"error": "a fault"}, status)
        try:
            with self.hub.lock:
                self._route(path, body)
        except _Refused as refused:
            headers = {"X-Error-Code": refused.code, "X-Error-Message": refused.message}
            content = {"error": refused.message, "Message": refused.message}
            self._answer(content, refused.status, headers)

    do_GET = do_POST = do_PUT = do_HEAD = handle_one

    def _body(self) -> bytes:
        if self.headers.get("Transfer-Encoding") == "chunked":
            body = b""
            while size := int(self.rfile.readline(), 16):
                body += self.rfile.read(size)
                self.rfile.readline()
            self.rfile.readline()
            return body
        return self.rfile.read(int(self.headers.get("Content-Length") or 0))

    def _answer(
        self, content: Any, status: int = 200, headers: dict[str, str] | None = None
    ) -> None:
        data = content if isinstance(content, bytes) else json.dumps(content).encode()
        self.send_response(status)
        for name, value in (headers or {}).items():
            if value:
                self.send_header(name, value)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(data)

    def _route(self, path: str, body: bytes) -> None:
        if path.startswith("/blobs/"):
            digest = path.rpartition("/")[2]
            assert hashlib.sha256(body).hexdigest() == digest
            self.hub.blobs[digest] = body
            self.hub.sent_bytes += len(body)
            return self._answer(b"")
        if "SECRET" not in path and self.headers.get("Authorization") != f"Bearer {TOKEN}":
            raise _Refused(401, message="Invalid credentials")
        if path.startswith("/api/v1/"):
            return self._model_scope(path.removeprefix("/api/v1/"), body)
        return self._hugging_face(path, body)

    def _hugging_face(self, path: str, body: bytes) -> None:
        if path == "/api/repos/create":
            return self._create(json.loads(body))
        if path == "/api/validate-yaml":
            return self._answer({"errors": [], "warnings": []})
        if path.endswith(".git/info/lfs/objects/batch"):
            return self._answer({"objects": self._batch(body)})
        if not path.startswith("/api/"):
            return self._resolve(path.removeprefix("/datasets"))
        owner, name, *rest = path.split("/")[3:]
        verb, branch = rest or ("revision", "main")
        branches = self._branches(f"{owner}/{name}")
        if verb == "branch":
            return self._add_branch(branches, branch)
        files = self._branch(branches, branch)
        if verb == "revision":
            siblings = [{"rfilename": name} for name in files]
            return self._answer(
                {"id": f"{owner}/{name}", "sha": head(branch), "siblings": siblings, "tags": []}
            )
        if verb == "tree":
            return self._answer([_entry(name, data) for name, data in files.items()])
        if verb == "preupload":
            modes = [_mode(one, files) for one in json.loads(body)["files"]]
            return self._answer({"files": modes})
        if verb != "commit":  # it has no Xet
            raise _Refused(404, message="Not Found")
        lines = [json.loads(line) for line in body.splitlines()]
        return self._commit(files, lines, f"{self.hub.url}/datasets/{owner}/{name}")

    def _add_branch(self, branches: dict[str, Files], branch: str) -> None:
        if branch in branches:
            raise _Refused(409, message="Reference already exists")
        branches[branch] = dict(branches["main"])
        self._answer({})

    def _create(self, asked: dict[str, Any]) -> None:
        name = f"{asked['organization']}/{asked['name']}"
        there = name in self.hub.repositories
        if not there:
            self.hub.repositories[name] = {"main": {".gitattributes": b"* -text\n"}}
            if asked.get("visibility") == "private":
                self.hub.private.add(name)
        self._answer({"url": f"{self.hub.url}/datasets/{name}"}, 409 if there else 200)

    def _commit(self, files: Files, lines: list[dict[str, Any]], page: str) -> None:
        self.hub.commits.append(lines[0]["value"] | {"operations": len(lines) - 1})
        for line in lines[1:]:
            value = line["value"]
            if line["key"] == "file":
                files[value["path"]] = base64.b64decode(value["content"])
            elif line["key"] == "lfsFile":
                files[value["path"]] = self.hub.blobs[value["oid"]]
            else:
                del files[value["path"]]
        oid = f"{len(self.hub.commits):040x}"
        self._answer({"commitUrl": f"{page}/commit/{oid}", "commitOid": oid})

    def _branches(self, repository: str) -> dict[str, Files]:
        if repository not in self.hub.repositories:
            raise _Refused(404, "RepoNotFound", "Repository not found")
        return self.hub.repositories[repository]

    def _branch(self, branches: dict[str, Files], name: str) -> Files:
        name = next((one for one in branches if head(one) == name), name)
        if name not in branches:
            raise _Refused(404, "RevisionNotFound", f"Invalid rev id: {name}")
        return branches[name]

    def _resolve(self, path: str) -> None:
        owner, name, _, branch, *rest = path.removeprefix("/").split("/")
        branches = self._branches(f"{owner}/{name}")
        files = self._branch(branches, branch)
        file = "/".join(rest)
        if file not in files:
            raise _Refused(404, "EntryNotFound", f"{file} does not exist")
        data = files[file]
        commit = head(branch) if branch in branches else branch
        headers = {"ETag": f'"{git_sha1(data)}"', "X-Repo-Commit": commit}
        self._answer(data, headers=headers)

    def _batch(self, body: bytes) -> list[dict[str, Any]]:
        objects = json.loads(body)["objects"]
        for one in objects:
            if one["oid"] not in self.hub.blobs:
                href = f"{self.hub.url}/blobs/SECRET-SIGNATURE/{one['oid']}"
                one["actions"] = {"upload": {"href": href}}
        return list(objects)

    def _model_scope(self, path: str, body: bytes) -> None:
        if path == "datasets" and self.command == "POST":
            return self._create_dataset(_form(self.headers["Content-Type"], body))
        if path.endswith("/info/lfs/objects/batch"):
            return self._answer({"Code": 200, "Data": {"objects": self._batch(body)}})
        parts = path.split("/")
        if parts[0] == "datasets":  # datasets/owner/name/repo/tree, or repo to read a file
            branches = self._branches("/".join(parts[1:3]))
            files = self._branch(branches, self.query.get("Revision", "master"))
            if parts[3:] == ["repo", "tree"]:
                return self._answer({"Code": 200, "Data": self._page(files)})
            file = self.query["FilePath"]
            if file not in files:
                raise _Refused(404, message="not found")
            return self._answer(files[file])
        assert parts[:2] == ["repos", "datasets"]
        files = self._branch(self._branches("/".join(parts[2:4])), parts[5])
        return self._act(files, json.loads(body))

    def _create_dataset(self, asked: dict[str, str]) -> None:
        name = f"{asked['Owner']}/{asked['Name']}"
        if name in self.hub.repositories:
            raise _Refused(400, message="the repo already exists")
        self.hub.repositories[name] = {"master": {}}
        if asked["Visibility"] == "1":
            self.hub.private.add(name)
        self._answer({"Code": 200, "Data": {"Name": asked["Name"]}})

    def _act(self, files: Files, asked: dict[str, Any]) -> None:
        self.hub.commits.append(asked)
        for action in asked["actions"]:
            if action["action"] == "delete":
                del files[action["path"]]
            elif action["type"] == "lfs":
                files[action["path"]] = self.hub.blobs[action["sha256"]]
            else:
                files[action["path"]] = base64.b64decode(action["content"])
        self._answer({"Code": 200, "Success": True, "Data": {"Id": "0" * 40}})

    def _page(self, files: Files) -> dict[str, Any]:
        entries = [
            {
                "Path": name,
                "Size": len(data),
                "Type": "blob",
                "Sha256": hashlib.sha256(data).hexdigest(),
            }
            for name, data in files.items()
        ]
        first = (int(self.query.get("PageNumber", 1)) - 1) * int(self.query.get("PageSize", 50))
        shown = entries[first : first + int(self.query.get("PageSize", 50))]
        return {"Files": shown, "TotalCount": len(entries)}


def head(branch: str) -> str:
    """Commit that a branch is at."""
    return git_sha1(branch.encode())


def _entry(name: str, data: bytes) -> dict[str, Any]:
    entry: dict[str, Any] = {"type": "file", "path": name, "size": len(data)}
    entry["oid"] = git_sha1(data)
    if name.endswith(LFS):
        digest = hashlib.sha256(data).hexdigest()
        entry["lfs"] = {"oid": digest, "size": len(data), "pointerSize": 134}
    return entry


def _mode(asked: dict[str, Any], files: Files) -> dict[str, Any]:
    path = asked["path"]
    lfs = path.endswith(LFS)
    oid = None
    if path in files:
        data = files[path]
        oid = hashlib.sha256(data).hexdigest() if lfs else git_sha1(data)
    mode = "lfs" if lfs else "regular"
    return {"path": path, "uploadMode": mode, "shouldIgnore": False, "oid": oid}


def _form(content_type: str, body: bytes) -> dict[str, str]:
    """Fields of a form as browsers send it."""
    parsed = BytesParser(policy=HTTP).parsebytes(
        f"Content-Type: {content_type}\r\n\r\n".encode() + body
    )
    return {
        str(part.get_param("name", header="content-disposition")): str(part.get_content()).strip()
        for part in parsed.iter_parts()
    }
