from pathlib import Path

ROOT = Path(__file__).parents[2]


def test_the_readme_quotes_the_computed_costs_of_loading_the_model():
    computed = (ROOT / "docs" / "fleet.md").read_text().splitlines()
    quoted = [
        line
        for line in (ROOT / "README.md").read_text().splitlines()
        if line.startswith(("| loading from", "| pods, ", "| warm fleet"))
    ]
    assert len(quoted) == 4
    assert [line for line in quoted if line not in computed] == []
