"""The command line: every stage, run by hand or by Airflow with the same arguments.

Progress goes to standard error. The last line of standard output is the result as one JSON
object; `calibrate`, made for people, prints it with `--json` only. Exit codes: 0 done, 2 wrong
usage, 65 permanent error, 75 retryable error, 99 nothing to do, 1 a fault of this program, 130
stopped by Ctrl-C.
"""

from sa1b_captions.cli import captioning, releasing  # isort: skip  # in the order of the help
from sa1b_captions.cli import marking, models, planning, servers, tuning, views
from sa1b_captions.cli.common import app
