import ast
import re
import tomllib
from importlib.metadata import packages_distributions

from tests.support.deployment import ROOT, SERVICES

DOCKERFILES = sorted((ROOT / "deploy").glob("Dockerfile.*"))


def test_worker_images_run_as_nobody_special_and_without_airflow():
    for name in ("worker", "worker-cpu", "dedup"):
        text = (ROOT / f"deploy/Dockerfile.{name}").read_text()
        assert re.findall(r"^USER (.*)$", text, re.M)[-1] == "1000:1000"
        assert 'ENTRYPOINT ["sa1b-captions"]' in text
        assert "apache/airflow" not in text


def test_airflow_image_is_of_the_pinned_version():
    version = re.search(r"^apache-airflow==(\S+)", (ROOT / "requirements.txt").read_text(), re.M)[1]
    assert f"-{version}-python3.11" in (ROOT / "deploy/Dockerfile.airflow").read_text()


def test_images_are_pinned():
    images = [service["image"] for service in SERVICES.values()]
    for path in DOCKERFILES:
        arguments = dict(re.findall(r"^ARG (\w+)=(\S+)$", path.read_text(), re.M))
        for image in re.findall(r"^FROM (\S+)", path.read_text(), re.M):
            name = re.fullmatch(r"\$\{(\w+)\}", image)
            images.append(arguments[name[1]] if name else image)
    for image in images:
        assert re.search(r":v?\d+\.\d|:slim-\d", image), image
    assert len(images) == len(SERVICES) + 2 * len(DOCKERFILES)


def test_our_images_are_tagged_with_the_version():
    version = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["version"]
    files = [
        ROOT / "docker-compose.yaml",
        *(p for p in (ROOT / "deploy").rglob("*") if p.is_file()),
    ]
    tags = [
        tag
        for path in files
        for tag in re.findall(r"sa1b-captions-[a-z-]+:(\S+)|newTag: (\S+)", path.read_text())
    ]
    assert len(tags) >= 8
    assert {own or fleet for own, fleet in tags} == {version}


def test_what_the_docker_files_copy_is_let_through():
    let_through = {
        line[1:]
        for line in (ROOT / ".dockerignore").read_text().splitlines()
        if line.startswith("!")
    }
    for path in DOCKERFILES:
        text = path.read_text()
        copied = re.findall(r"^COPY (?:--chown=\S+ )?((?:[\w./-]+ )+)[\w./-]+$", text, re.M)
        names = {name for line in copied for name in line.split()}
        assert names
        assert names <= let_through
        assert all((ROOT / name).exists() for name in names)


def test_worker_requirements_hold_all_that_the_caption_stage_imports():
    package = ROOT / "include/sa1b_captions"
    stage = [
        package / "stages/caption.py",
        *package.glob("cli/*.py"),
        *package.glob("caption/**/*.py"),
        *package.glob("storage/*.py"),
        *package.glob("*.py"),
        *package.glob("cli/*.py"),
    ]
    assert len(stage) > 15
    imported = {
        name.partition(".")[0]
        for path in stage
        for node in ast.walk(ast.parse(path.read_text()))
        for name in _imported(node)
    }
    distributions = packages_distributions()
    needed = {name for module in imported for name in distributions.get(module, [])}
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    dependencies = project["dependencies"] + project["optional-dependencies"]["openai"]
    ours = {re.split(r"[<>=\[]", line)[0] for line in dependencies}
    worker = (ROOT / "requirements-worker.txt").read_text().splitlines()
    given = {re.split(r"[<>=]", line)[0] for line in worker if not line.startswith("#")}
    assert needed & ours | {"tzdata"} == given  # pyarrow's, see pyproject.toml
    assert set(line for line in worker if not line.startswith("#")) <= set(dependencies)


def _imported(node):
    if isinstance(node, ast.Import):
        return [alias.name for alias in node.names]
    return [node.module or ""] if isinstance(node, ast.ImportFrom) else []


UNHASHED = {
    "Makefile": {"requirements-lmdeploy-test.txt", ".venv-$*"},
    "deploy/Dockerfile.worker": {"requirements-worker.txt"},
}
"""Lists without hashes, or where they go to; deploy/README.md gives the reasons."""


def test_whatever_is_installed_from_a_list_is_installed_by_hash():
    files = {"Makefile": (ROOT / "Makefile").read_text()}
    files |= {str(path.relative_to(ROOT)): path.read_text() for path in DOCKERFILES}
    for name, text in files.items():
        joined = text.replace("\\\n", " ")
        for line in joined.splitlines():
            lists = re.search(r"(?:-r|--requirement) (\S+)", line)
            if "install" not in line or lists is None:
                continue
            unhashed = any(each.rpartition("/")[2] in line for each in UNHASHED.get(name, ()))
            assert unhashed or "--require-hashes" in line, f"{name}: {line}"
            # pip up to 23.0 takes no list in which one package wants another's extra.
            assert unhashed or name == "Makefile" or "--no-deps" in line, f"{name}: {line}"


def test_every_list_that_is_installed_by_hash_has_a_hash_for_every_package():
    lists = [
        path
        for path in (*ROOT.glob("requirements*.txt"), *(ROOT / "tests").glob("requirements*.txt"))
        if path.name not in ("requirements-lmdeploy-test.txt", "requirements-worker.txt")
    ]
    assert len(lists) >= 9
    for path in lists:
        pins = re.split(r"^(?=\S)", path.read_text(), flags=re.M)
        pins = [pin for pin in pins if "==" in pin.partition("#")[0]]
        assert pins
        assert [pin.split()[0] for pin in pins if "--hash=sha256:" not in pin] == []


def test_the_cpu_workers_list_is_what_the_caption_stage_needs_in_the_tested_versions():
    def pins(name):
        return set(re.findall(r"^(\S+==\S+)", (ROOT / name).read_text(), re.M))

    assert pins("requirements-worker-cpu.txt") <= pins("requirements-dev.txt")
    worker = (ROOT / "requirements-worker.txt").read_text().splitlines()
    wanted = {re.split(r"[<>=]", line)[0] for line in worker if not line.startswith("#")}
    assert wanted <= {pin.partition("==")[0] for pin in pins("requirements-worker-cpu.txt")}
