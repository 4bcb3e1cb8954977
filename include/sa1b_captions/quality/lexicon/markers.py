"""Marks of HTML, chat templates and grounding."""

HTML = (
    *("a", "abbr", "article", "audio", "b", "big", "blockquote", "body", "br", "button", "center"),
    *("cite", "code", "dd", "del", "details", "div", "dl", "dt", "em", "embed", "figcaption"),
    *("figure", "font", "footer", "form", "h[1-6]", "head", "header", "hr", "html", "i", "iframe"),
    *("input", "ins", "kbd", "label", "li", "link", "main", "mark", "meta", "nav", "noscript"),
    *("object", "ol", "option", "p", "pre", "script", "section", "select", "small", "source"),
    *("span", "strike", "strong", "style", "sub", "summary", "sup", "svg", "table", "tbody", "td"),
    *("textarea", "tfoot", "th", "thead", "tr", "tt", "u", "ul"),
)
"""Names of tags that are markup."""

SPECIAL = (
    # Any other tag: <image>, </think>, <|im_end|>, <｜end▁of▁sentence｜>, <0x0A>, <extra_id_0>.
    r"(?i)<[|｜][^<>]{1,40}[|｜]>|(?:<\d{1,4}>){2}|<</?sys>>|<0x[0-9a-f]{2}>|"
    r"</?[a-z][a-z0-9_.:-]{0,40}(?:[\s/][^<>]{0,200})?/?>|<\|[a-z_]{2,}|[a-z_]{2,}\|>|im_end|im_st"
    r"art|"
    r"IMG_CONTEXT|end_of_text|eot_id|\[/?(?:UNUSED_TOKEN_\d+|unused\d+|INST|IMG|IMAGE|SEP|CLS|PAD|"
    r"MASK|UNK|BOS|EOS|SYS|AVAILABLE_TOOLS|TOOL_CALLS|gMASK|sop|eop)(?:_[A-Z]+)?\]",
    # What stands for the picture itself, in Chinese too.
    r"[<＜\[【](?:图片|图像|照片)[^<>＜＞\[\]【】]{0,6}[>＞\]】]",
)
"""Markers of chat templates; one would break whoever trains on it."""

_NUMBER = r"(?:[a-z]{1,4}\d?\s*[=:]\s*)?\d+(?:\.\d+)?"
_NEXT = rf"\s*[,，]\s*{_NUMBER}"
BOXES = (
    # [[12, 30, 400, 560]], (12,30),(400,560), and the same in marks as wide as a Han letter.
    rf"[\[(（【<]\s*{_NUMBER}(?:{_NEXT}){{3}}\s*[\])）】>]",
    rf"[(（]\s*{_NUMBER}{_NEXT}\s*[)）]\s*[,，]?\s*[(（]\s*{_NUMBER}{_NEXT}\s*[)）]",
    r"(?i)\bcoordinates?\W{0,3}[(\[]\d",
)
"""Coordinates of boxes, as grounding writes them; a screen may show some."""

_PARTS_ENGLISH = (
    "subject|main subject|main elements?|background|foreground|middle ground|midground|lighting|"
    "light|mood|"
    "colou?rs?|setting|composition|overview|details|key details|objects?|text|style|atmosphere|"
    "people|scene|"
    "camera angle|perspective|location|summary|conclusion|caption|description|weather|time of day|"
    "actions?"
)
_PARTS_CHINESE = (
    "主体|背景|前景|中景|远景|近景|光线|光照|氛围|构图|色彩|颜色|色调|场景|人物|文字|细节|风格|"
    "概述|概览|总结|环境|动作|服装|"
    "主题|物体|视角|情绪|整体|描述|地点|时间|天气|主要元素|内容"
)
HEADS = (
    rf"(?i)(?:^|[.!?”\"] )(?:{_PARTS_ENGLISH})(?: description)?: |\b(?:step|point|item|part) ?\d+ "
    rf"?: |(?:^|[。！？；”]\s*)(?:{_PARTS_CHINESE})(?:描述)?：|第[0-9一二三四五六七八九]+(?:点|步|"
    rf"项|条|部分)\s?[:：]"
)
"""Heads of parts, where a description has sentences; a sign may have them."""

BRACKETED_HEADS = rf"【(?:{_PARTS_CHINESE})】"
"""The same in brackets, which quote nothing here."""

SCRIPTS = r"(?i)\b(?:javascript|vbscript):[^\s\p{Han}]"
"""Addresses that a browser runs; a sign may have them."""
