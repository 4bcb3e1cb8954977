"""A tool of the side-by-side benchmark in few lines: asks, writes a row, goes on where it was.

Run as a command with IMAGES, OUT, URL and PLACES in the environment. It starts a child that sleeps,
as daemons do.
"""

import base64
import json
import os
import subprocess
import sys
import threading
import urllib.request
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path


def ask(path: Path) -> dict[str, str]:
    """A row for an image, whatever the server says."""
    url = "data:image/jpeg;base64," + base64.b64encode(path.read_bytes()).decode()
    message = {"role": "user", "content": [{"type": "image_url", "image_url": {"url": url}}]}
    body = json.dumps({"model": "simulated", "messages": [message]}).encode()
    row = {"image": path.name, "caption": "", "problem": ""}
    problem = ""
    for _ in range(3):
        try:
            with urllib.request.urlopen(  # noqa: S310  # of this machine
                f"{os.environ['URL']}/chat/completions", data=body
            ) as reply:
                (choice,) = json.load(reply)["choices"]
        except (OSError, ValueError) as error:
            problem = str(error)
        else:
            end = choice["finish_reason"]
            row["caption"] = choice["message"]["content"]
            return row | {"problem": "" if end == "stop" and row["caption"] else f"ended by {end}"}
    return row | {"problem": problem}


def main() -> None:
    """Caption what has no row."""
    out = Path(os.environ["OUT"]) / "rows.jsonl"
    done = (
        {json.loads(line)["image"] for line in out.read_text().splitlines()} if out.exists() else {}
    )
    child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"])
    todo = [path for path in sorted(Path(os.environ["IMAGES"]).iterdir()) if path.name not in done]
    lock = threading.Lock()
    with ThreadPoolExecutor(int(os.environ["PLACES"])) as pool, out.open("a") as file:

        def caption(path: Path) -> None:
            row = ask(path)
            with lock:
                file.write(json.dumps(row) + "\n")
                file.flush()

        list(pool.map(caption, todo))
    child.kill()


if __name__ == "__main__":
    main()
