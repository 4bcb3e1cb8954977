import os
import subprocess
import sys
from pathlib import Path

from demo.workspace import Workspace


def made(folder):
    workspace = Workspace(folder, 18080, 18081)
    workspace.prepare()
    workspace.write_shell_file()
    return workspace


def test_a_shell_that_reads_the_settings_runs_commands_on_the_demo(tmp_path):
    workspace = made(tmp_path / "it's a folder")
    done = subprocess.run(
        [
            "sh",
            "-c",
            ". ./env && command -v sa1b-captions && command -v airflow"
            " && echo $CAPTIONS_CAMPAIGN $AIRFLOW_HOME"
            " && env | grep -c Elsewhere",
        ],
        cwd=workspace.home,
        env={"PATH": os.environ["PATH"], "AIRFLOW__CORE__EXECUTOR": "Elsewhere"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.stdout.splitlines() == [
        *(str(Path(sys.executable).with_name(name)) for name in ("sa1b-captions", "airflow")),
        f"demo {workspace.home}/airflow",
        "0",
    ]


def test_the_settings_for_a_shell_are_private_and_do_not_make_it_part_of_the_demo(tmp_path):
    workspace = made(tmp_path)
    assert workspace.shell_file.stat().st_mode & 0o077 == 0
    # `make down` ends every process that says so.
    assert "DEMO_PROCESS_OF" not in workspace.shell_file.read_text()
    assert workspace.environment()["DEMO_PROCESS_OF"] == str(tmp_path)
