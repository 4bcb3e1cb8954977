"""The card's own examples run, and hubs accept its front matter."""

import io

import mlcroissant
import pyarrow.parquet as pq
import pytest
from huggingface_hub import DatasetCard
from huggingface_hub.repocard_data import DatasetCardData
from PIL import Image

from tests.support import cards


def test_every_example_on_the_card_runs(release, store):
    found = [cards.run(code, store) for code in cards.snippets(release)]
    assert len(found) == 4
    way_back = next(names for names in found if "jpeg" in names)
    assert way_back["prompt"].startswith("<image>\n")
    image = Image.open(io.BytesIO(way_back["jpeg"]))
    assert image.size == (way_back["row"]["width"], way_back["row"]["height"])
    for key in ("sample_id", "shard", "model_revision", "engine", "attempt"):
        assert way_back["row"][key]


def test_hugging_face_reads_the_front_matter(release):
    card = DatasetCard.load(release / "README.md")
    assert isinstance(card.data, DatasetCardData)
    front = cards.front_matter(release)
    assert card.data.to_dict() == front
    assert card.data.language == ["en", "zh"]
    assert (release / front["license_link"]).is_file()


@pytest.mark.parametrize("kind", ["", "_provenance"])
def test_croissant_loads_the_records(release, track, kind):
    dataset = mlcroissant.Dataset(release / "croissant.json")
    assert not dataset.metadata.issues.errors
    folder = release / ("provenance" if kind else "data") / track
    rows = [row for file in sorted(folder.iterdir()) for row in pq.read_table(file).to_pylist()]
    found = list(dataset.records(f"{track}{kind}"))
    assert [plain(record) for record in found] == [plain(row) for row in rows]


def plain(value):
    """Records of Croissant without their long names and bytes."""
    if isinstance(value, dict):
        return {str(key).rpartition("/")[2]: plain(item) for key, item in value.items()}
    if isinstance(value, list):
        return [plain(item) for item in value]
    return value.decode() if isinstance(value, bytes) else value


def test_croissant_knows_the_digests_of_the_jsonl_files(release):
    sums = dict(
        reversed(line.split("  ", 1)) for line in (release / "SHA256SUMS").read_text().splitlines()
    )
    files = mlcroissant.Dataset(release / "croissant.json").metadata.file_objects
    assert {file.content_url: file.sha256 for file in files} == {
        name: digest for name, digest in sums.items() if name.endswith(".jsonl")
    }
