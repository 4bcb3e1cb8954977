# Captions of a folder of images with this project, as docs/your-own-images.md shows.
set -e
export CAPTIONS_ROOT="file://$OUT/store" CAPTIONS_CAMPAIGN=peers
export CAPTIONS_RECIPE="$OUT/recipe.toml" CAPTIONS_ENGINE=openai
export CAPTIONS_OPENAI_URLS="$URL" CAPTIONS_WINDOW="$PLACES"
test -e "$CAPTIONS_RECIPE" ||
  sa1b-captions recipe new --model simulated --images "small images" --shards 0 --out "$CAPTIONS_RECIPE"
sa1b-captions pack "$IMAGES" --skip-bad
sa1b-captions caption --shards 0 --tracks single_en
