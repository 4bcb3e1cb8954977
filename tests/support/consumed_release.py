"""Makes the release that tests/consumers read, in a folder: `python -m ... FOLDER`."""

import sys
from pathlib import Path

from sa1b_captions.stages.exporting.export import export_release
from sa1b_captions.storage import FileStore
from tests.support import releases


def main(folder: Path) -> None:
    """Export a release of two shards with photographs."""
    export_release(releases.campaign_with_images(FileStore(folder)), "v1")


if __name__ == "__main__":
    main(Path(sys.argv[1]).resolve())
