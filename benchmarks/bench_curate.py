"""What judging a caption costs: the whole rule set with signatures, in CPU seconds of one thread.

    make bench-curate        ROWS=11186 for one shard per language

English captions are those of caption_corpus.py, Chinese ones come from a few templates here. Every
step runs warmed up and as often as the best of three needs; what compiling or loading from numba's
cache takes is measured in a process of its own. Those corpora have few words; the fit captions of
the gold set, which people wrote, are measured beside them, each several times. The baseline is
Gopher's repetition rules as data pipelines run them, in Python, on a sample in the same run. The
last line is one JSON object.
"""

import json
import os
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable

os.environ["POLARS_MAX_THREADS"] = "1"

import numpy as np
import polars as pl
import pyarrow as pa

from benchmarks.caption_words import FRAMES, NOUNS, PLACES, VERBS, WORDS
from sa1b_captions.quality.duplicates import minhash
from sa1b_captions.quality.duplicates.signatures import sign as exact_hash
from sa1b_captions.quality.duplicates.wording import normalised
from sa1b_captions.quality.features import measure
from sa1b_captions.quality.rules import find_reasons
from sa1b_captions.recipe import load_recipe
from tests.gold.captions import load_gold

GOPHER_ROWS = 1000
REPEATS = 3
GOLD_TIMES = 8
FAULTY_EVERY = 100
ZH_FRAMES = (
    "图像展示了一{}{}的{}，位于{}的中央，光线{}。",
    "画面左侧有一{}{}的{}，它紧挨着{}，显得格外{}。",
    "背景中可以看到{}{}{}，远处的{}被{}的天空衬托着。",
    "几名行人从{}旁走过，手里拿着{}的{}，神情{}，脚步从容而{}。",
)
ZH_WORDS = (
    *("红色", "蓝色", "古老", "宽阔", "明亮", "狭窄", "安静", "木质", "褪色", "精致", "高大"),
    *("石桥", "灯塔", "集市", "喷泉", "教堂", "渡船", "果园", "车站", "长椅", "雕像", "窗台"),
)


def english(rows: int, rng: np.random.Generator) -> list[str]:
    """Captions of 6 to 11 sentences, one of FAULTY_EVERY unfit."""
    pools = (WORDS, NOUNS, WORDS, PLACES, WORDS, NOUNS, VERBS)

    def sentence(frame: str) -> str:
        words: list[str] = []
        while len(words) < frame.count("{}"):
            pool = pools[len(words) % 7]
            word = pool[rng.integers(len(pool))]
            # No word twice in a sentence: "a painted painted bus" is a fault.
            if word not in words and word not in frame:
                words.append(word)
        return frame.format(*words)

    captions = [
        " ".join(
            sentence(FRAMES[frame]) for frame in rng.integers(0, len(FRAMES), rng.integers(6, 12))
        )
        for _ in range(rows)
    ]
    return _with_faults(captions)


def chinese(rows: int, rng: np.random.Generator) -> list[str]:
    """Captions of 4 to 8 sentences, one of FAULTY_EVERY unfit."""
    captions = [
        "".join(
            ZH_FRAMES[frame].format(*rng.choice(ZH_WORDS, 5, replace=False))
            for frame in rng.integers(0, len(ZH_FRAMES), rng.integers(4, 9))
        )
        for _ in range(rows)
    ]
    return _with_faults(captions)


def by_hand(language: str) -> list[str]:
    """Fit captions of the gold set."""
    return [gold.text for gold in load_gold(language) if not gold.expected] * GOLD_TIMES


def _with_faults(captions: list[str]) -> list[str]:
    """One of FAULTY_EVERY captions cut in its last sentence, as real ones are."""
    return [
        caption[:-2] if place % FAULTY_EVERY == 0 else caption
        for place, caption in enumerate(captions)
    ]


def gopher(text: str) -> bool:
    """Gopher's rules on repeated lines and n-grams, as datatrove writes them."""
    lines = text.split("\n")
    words = text.split()
    broken = len(lines) - len(set(lines)) > 0.3 * len(lines)
    for n, limit in ((2, 0.2), (3, 0.18), (4, 0.16)):
        grams = Counter(" ".join(words[i : i + n]) for i in range(len(words) - n + 1))
        gram, count = grams.most_common(1)[0] if grams else ("", 0)
        broken |= len(gram) * count > limit * len(text)
    for n, limit in ((5, 0.15), (6, 0.14), (7, 0.13), (8, 0.12), (9, 0.11), (10, 0.1)):
        seen: set[str] = set()
        repeated = 0
        for i in range(len(words) - n + 1):
            gram = " ".join(words[i : i + n])
            repeated += len(gram) if gram in seen else 0
            seen.add(gram)
        broken |= repeated > limit * len(text)
    return bool(broken)


def cpu_s(step: Callable[[], object]) -> float:
    """Least CPU seconds of a few runs."""
    times = []
    for _ in range(REPEATS):
        began = time.process_time()
        step()
        times.append(time.process_time() - began)
    return min(times)


def judge(captions: list[str], language: str) -> dict[str, float]:
    """CPU seconds of each step over all captions."""
    texts = pa.array(captions, pa.string())
    limits = load_recipe("internvl").quality.languages[language]
    features = measure(texts).with_columns(status=pl.lit("ok"))
    normal = normalised(texts)
    steps: dict[str, Callable[[], object]] = {
        "features": lambda: measure(texts),
        "rules": lambda: find_reasons(features, limits),
        "normalise": lambda: normalised(texts),
        "sign": lambda: minhash.sign(normal),
        # Hashing normalises too; what that takes is taken off below.
        "exact_hash": lambda: exact_hash(pl.Series(texts)),
    }
    found = {}
    for name, step in steps.items():
        step()
        found[name] = cpu_s(step)
    found["exact_hash"] = max(0.0, found["exact_hash"] - found["normalise"])
    return found


_FIRST_USE = """
import time, pyarrow as pa
from sa1b_captions.quality.features import measure
began = time.process_time()
measure(pa.array(["A red kettle."]))
print(time.process_time() - began)
"""


def first_use_cpu_s(cache: str | None) -> float:
    """CPU seconds of a process's first caption, with a cache folder of its own or the usual one."""
    variables = os.environ | ({"NUMBA_CACHE_DIR": cache} if cache else {})
    done = subprocess.run(
        [sys.executable, "-c", _FIRST_USE],
        check=True,
        stdout=subprocess.PIPE,
        text=True,
        env=variables,
    )
    return float(done.stdout)


def main() -> None:
    """Measure everything and print the result."""
    rows = int(os.environ.get("ROWS", "22372"))
    rng = np.random.default_rng(7)
    corpora = {"en": english(rows, rng), "zh": chinese(rows, rng)}
    corpora |= {f"by_hand_{language}": by_hand(language) for language in corpora}
    print(f"{rows} captions a language, load {os.getloadavg()[0]:.1f}", flush=True)
    result: dict[str, object] = {}
    for name, captions in corpora.items():
        steps, count = judge(captions, name[-2:]), len(captions)
        result[name] = {
            "captions_per_s_core": round(count / sum(steps.values())),
            "chars": round(sum(map(len, captions)) / count),
            "us_per_caption": {step: round(s / count * 1e6, 2) for step, s in steps.items()},
        }
        print(name, json.dumps(result[name]), flush=True)
    sample = corpora["en"][:GOPHER_ROWS]
    baseline = len(sample) / cpu_s(lambda: [gopher(text) for text in sample])
    with tempfile.TemporaryDirectory() as cache:
        compiling, loading = first_use_cpu_s(cache), first_use_cpu_s(cache)
    rate = result["en"]["captions_per_s_core"]  # type: ignore[index]
    print(
        json.dumps(
            {
                "captions_per_s_core": rate,
                **result,
                "gopher_python_per_s_core": round(baseline),
                "speedup_vs_gopher_python": round(rate / baseline, 1),
                "first_caption_compiling_cpu_s": round(compiling, 2),
                "first_caption_cached_cpu_s": round(loading, 2),
            }
        )
    )


if __name__ == "__main__":
    main()
