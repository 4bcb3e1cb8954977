"""The recipe: model, prompts, generation settings and quotas of all tracks.

A recipe is a TOML file (`packaged/` holds those that come with the package). Its fingerprint
names everything that can change a caption or which captions are planned. The quality section is
not part of it: changing a rule curates again, it never captions again.
"""

from sa1b_captions.recipe.recipe import Recipe
from sa1b_captions.recipe.recipe_parsing import load_recipe, parse_recipe
from sa1b_captions.recipe.sections import (
    ARCHIVES,
    LANGUAGES,
    TEMPLATES,
    TRACKS,
    WHOLE_TRACK,
    Generation,
    Model,
    Sampling,
    Track,
)
