"""Markup, escapes, and the tokens of chat templates and of grounding."""

import json
import random

from tests.gold.planting.base import Base, defect, inner_places

_TOKENS = (
    *("<|im_end|>", "<|im_start|>assistant", "<|endoftext|>", "<|eot_id|>", "<|vision_end|>"),
    *("</s>", "<s>", "<unk>", "<pad>", "<eoc>", "[INST]", "[/INST]"),
    *("<IMG_CONTEXT>", "<image>", "<img>", "</img>"),
)


def _wrap(rng: random.Random, base: Base, before: str, after: str) -> str:
    """The caption with one to three words between two marks."""

    def how(words: list[str]) -> list[str]:
        place = rng.choice(inner_places(words))
        if base.language == "zh":
            return [*words[:place], before, *words[place : place + 2], after, *words[place + 2 :]]
        return [*words[:place], f"{before}{words[place]}{after}", *words[place + 1 :]]

    return base.change(rng, how)


@defect("markdown")
def bold(rng: random.Random, base: Base) -> str:
    """As **word** or __word__."""
    mark = rng.choice(["**", "**", "__"])
    return _wrap(rng, base, mark, mark)


@defect("markdown")
def emphasis(rng: random.Random, base: Base) -> str:
    """As *word* or _word_."""
    mark = rng.choice("*_")
    return _wrap(rng, base, mark, mark)


@defect("markdown")
def inline_code(rng: random.Random, base: Base) -> str:
    """As `word`."""
    return _wrap(rng, base, "`", "`")


@defect("markdown")
def link(rng: random.Random, base: Base) -> str:
    """As [word](address)."""
    return _wrap(rng, base, "[", "](https://example.com/a)")


@defect("markdown", "meta_talk")
def heading(rng: random.Random, base: Base) -> str:
    """A heading in front, on the same line."""
    title = rng.choice(
        ["Image Description", "Overview"] if base.language == "en" else ["图片描述", "概览"]
    )
    return f"{'#' * rng.randint(1, 4)} {title} {base.text}"


@defect("markdown")
def numbered_list(rng: random.Random, base: Base) -> str:
    """Every sentence with its number in front, in one line."""
    dot = rng.choice([".", ")"] if base.language == "en" else [".", "、", "）"])
    return " ".join(f"{number}{dot} {said}" for number, said in enumerate(base.sentences, 1))


@defect("markdown")
def bullet_list(rng: random.Random, base: Base) -> str:
    """Every sentence with a bullet in front, in one line."""
    bullet = rng.choice("-*•")
    return " ".join(f"{bullet} {said}" for said in base.sentences)


@defect("markdown", "replacement_character", "special_token")
def html_entity(rng: random.Random, base: Base) -> str:
    """As &quot; stands for a quotation mark."""
    if rng.random() < 0.5:
        mark = rng.choice(["&quot;", "&#34;", "&ldquo;", "&#x27;"])
        return _wrap(rng, base, mark, mark)
    entity = rng.choice(["&amp;", "&nbsp;", "&lt;", "&#39;", "&hellip;", "&mdash;"])
    return _wrap(rng, base, entity, "")


@defect("markdown", "special_token")
def html_tag(rng: random.Random, base: Base) -> str:
    """As <b>word</b>, or <br> between sentences."""
    if rng.random() < 0.3:
        return rng.choice(["<br>", "<br/>", "</p><p>"]).join(base.sentences)
    tag = rng.choice(["b", "i", "strong", "em", "p", "span"])
    return _wrap(rng, base, f"<{tag}>", f"</{tag}>")


@defect("markdown", "missing_end")
def json_object(rng: random.Random, base: Base) -> str:
    """The caption as a value of a JSON object."""
    return json.dumps({rng.choice(["caption", "description"]): base.text}, ensure_ascii=False)


@defect("markdown", "special_token", "missing_end")
def latex(rng: random.Random, base: Base) -> str:
    """A formula or a command of LaTeX."""
    formula = rng.choice(
        [r"$45^\circ$", r"\textbf{x}", r"\(x^2\)", r"$\approx 3$", r"\frac{1}{2}", r"$\rightarrow$"]
    )
    return _wrap(rng, base, formula + base.glue, "")


@defect("markdown", "replacement_character", "special_token")
def literal_line_break(rng: random.Random, base: Base) -> str:
    r"""A backslash and an n (or r, t) where a line would break."""
    mark = rng.choice([r"\n", r"\n\n", r"\r\n", r"\t"])
    sentences = base.sentences
    place = rng.randrange(1, len(sentences))
    return base.join(sentences[:place]) + mark + base.join(sentences[place:])


@defect("markdown", "replacement_character", "wrong_language", "too_long", "missing_end")
def unicode_escape(rng: random.Random, base: Base) -> str:
    r"""As \u201c stands for a quotation mark."""
    if base.language == "en":
        return _wrap(rng, base, r"\u201c", r"\u201d")
    sentences = base.sentences
    place = rng.randrange(len(sentences))
    sentences[place] = json.dumps(sentences[place])[1:-1]
    return base.join(sentences)


@defect("markdown", "missing_end")
def table(rng: random.Random, base: Base) -> str:
    """Sentences as the cells of a table, in one line."""
    return "| " + " | ".join(base.sentences) + " |"


@defect("special_token", "markdown", "missing_end")
def chat_token(rng: random.Random, base: Base) -> str:
    """A token of a chat template before, after or within the caption."""
    token = rng.choice(_TOKENS)
    sentences = base.sentences
    sentences.insert(rng.randint(0, len(sentences)), token)
    return base.join(sentences)


@defect("special_token", "missing_end", "markdown")
def unused_token(rng: random.Random, base: Base) -> str:
    """As [UNUSED_TOKEN_145], which some vocabularies hold in reserve."""
    name = rng.choice(["[UNUSED_TOKEN_{}]", "<|reserved_special_token_{}|>", "<unused{}>"])
    return base.insert(rng, name.format(rng.randint(1, 199)))


@defect("special_token", "markdown", "meta_talk")
def thinking(rng: random.Random, base: Base) -> str:
    """A block of thought, or a tag of one that was left behind."""
    thought = {"en": "The picture must be described soberly.", "zh": "需要如实描述画面。"}
    return (
        rng.choice([f"<think>{thought[base.language]}</think>", "<think></think>", "</think>"])
        + base.glue
        + base.text
    )


@defect("special_token", "markdown", "missing_end")
def bare_box(rng: random.Random, base: Base) -> str:
    """Coordinates of a box after a word."""
    corners = [rng.randint(0, 999) for _ in range(4)]
    return _wrap(rng, base, "", rng.choice(["[[{}]]", "[{}]"]).format(", ".join(map(str, corners))))


@defect("special_token", "markdown", "missing_end")
def grounding(rng: random.Random, base: Base) -> str:
    """A word between the tags of a reference, with its box."""
    corners = [[rng.randint(0, 999) for _ in range(4)]]
    return _wrap(rng, base, "<ref>", f"</ref><box>{corners}</box>")


@defect("special_token", "markdown", "meta_talk")
def image_token(rng: random.Random, base: Base) -> str:
    """As Image-1: <image> before the caption."""
    return rng.choice(["<image>", "Image-1: <image>", "<img></img>"]) + base.glue + base.text


DEFECTS = (
    bold,
    emphasis,
    inline_code,
    link,
    heading,
    numbered_list,
    bullet_list,
    html_entity,
    html_tag,
    json_object,
    latex,
    literal_line_break,
    unicode_escape,
    table,
    chat_token,
    unused_token,
    thinking,
    bare_box,
    grounding,
    image_token,
)
