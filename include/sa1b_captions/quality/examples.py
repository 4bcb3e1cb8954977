"""Captions that pass and fail, for documentation and tests."""

FIT = {
    "en": (
        "The image shows a red kettle on a wooden table beside a white cup and a folded newspaper. "
        "Behind them, a window with thin curtains lets in soft daylight, and a cat sleeps on the "
        "sill. A row of jars stands along the left wall, each with a handwritten label."
    ),
    "zh": (
        "图像中，一把红色水壶放在木桌上，旁边是一只白色杯子和一份折好的报纸。后方的窗户挂着薄窗帘，"
        "柔和的日光照进室内，窗台上睡着一只猫。左侧墙边摆着一排玻璃罐，每只罐子上都贴着手写标签。"
    ),
}
"""A caption of each language that breaks no rule."""
