"""No decision about captions rests on the time of day, which jumps and differs by machine."""

import re
from pathlib import Path

import sa1b_captions

PACKAGE = Path(sa1b_captions.__file__).parent
WALL_CLOCK = re.compile(r"datetime\.now\(|time\.time\(\)|date\.today\(|utcnow\(|time_ns\(")
READERS = {
    "caption/resuming/parts.py": "captioned_at of a row, for people",
    "quality/health/reference.py": "created_at of a reference, for people",
    "receipts/receipt_files.py": "written_at, for people",
    "stages/exporting/release_files.py": "created_at of a release, for people",
    "ingest/downloading/server_clock.py": "whether to ask the server if a signed link has expired",
    "release/claim.py": "claimed_at of a claim, for people",
    "marks.py": "when a mark was made; of two of one person about one thing the later counts",
    "mark_logs.py": "the beginning of a log's name, for people; what follows is drawn",
    "cli/views.py": "until when a campaign will last, for people",
    "storage/abandoned.py": "how old a file is that no writer locks, or not yet",
    "storage/s3_errors.py": "how far this clock is off, for a message",
}


def test_the_wall_clock_is_read_only_where_a_time_of_day_is_meant():
    found = {
        path.relative_to(PACKAGE).as_posix()
        for path in PACKAGE.rglob("*.py")
        if WALL_CLOCK.search(path.read_text())
    }
    assert found == set(READERS)


def test_no_code_decides_by_the_time_in_a_receipt():
    users = {
        path.relative_to(PACKAGE).as_posix()
        for path in PACKAGE.rglob("*.py")
        if "written_at" in path.read_text()
    }
    assert users == {
        *("receipts/receipt.py", "receipts/receipt_files.py"),
        "stages/status/shard_figures.py",  # pace and end of a campaign are estimated of it
        "stages/validating/validations.py",  # lists validations, the newest first
    }
