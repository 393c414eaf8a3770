"""Stage cache: folders of audio → the arrays that training reads."""

from pathlib import Path

from featurize.audio import SAMPLE_RATE
from recipes.compact_denoiser.data import build_cache
from recipes.compact_denoiser.params import load_recipe
from recipes.compact_denoiser.stage import stage

CACHE = Path("cache")


@stage
def main() -> None:
    """Decode the sources in the `data` block of params.yaml."""
    recipe = load_recipe()
    for kind, sources in (("speech", recipe.data.clean), ("noise", recipe.data.noise)):
        index = build_cache(sources, CACHE, kind)
        hours = index["length"].sum() / SAMPLE_RATE / 3600
        print(f"{kind}: {len(index)} clips, {index['group'].nunique()} groups, {hours:.2f} h")


if __name__ == "__main__":
    main()
