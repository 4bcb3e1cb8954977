"""What the loaders of InternVL and LLaVA ask of a row (their public training code).

Nothing here needs the project: tests/consumers run without it.
"""

from typing import Any


def check_internvl(row: dict[str, Any]) -> None:
    """InternVL: lists make a row multi-image, and every image has one placeholder and one size."""
    human, gpt = row["conversations"]
    assert (human["from"], gpt["from"]) == ("human", "gpt")
    if isinstance(row["image"], list):
        images = row["image"]
        sizes = list(zip(row["width_list"], row["height_list"], strict=True))
    else:
        images, sizes = [row["image"]], [(row["width"], row["height"])]
        assert human["value"].startswith("<image>\n")
    assert human["value"].count("<image>") == len(images) == len(sizes)
    assert all(width > 0 and height > 0 for width, height in sizes)
    for token in ("<image>", "<img>", "</img>", "<IMG_CONTEXT>", "<video>"):
        assert token not in gpt["value"]


def check_llava(row: dict[str, Any]) -> None:
    """LLaVA: turns alternate and begin with the human, whose text holds the image token."""
    turns = row["conversations"]
    assert [turn["from"] for turn in turns] == ["human", "gpt"] * (len(turns) // 2)
    assert "<image>" in turns[0]["value"]
    assert all(isinstance(turn["value"], str) and turn["value"] for turn in turns)
