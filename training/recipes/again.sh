#!/usr/bin/env bash
# What the card of the weights that come along says of how they were made, done again from composed.safetensors, which has
# seen no labelled frame: 110 steps, about five minutes on two cores. What was stopped goes on.
#
#   bash training/recipes/again.sh FRAMES CLIPS SPRITES SCENES GAME OUT [PERCENT]
#
# FRAMES: anime30, as its author labelled it.  CLIPS: the clips whose outlines are in clips.json beside this file.
# SPRITES: RGBA characters, a folder for each source.  SCENES: pictures without characters.
# GAME: the folder `data` of Battle for Wesnoth 1.16 with its campaigns.
# PERCENT of the steps: 100; with 1 it only tries whether all is there.
set -euo pipefail
whole() { realpath -m "$1"; }
frames=$(whole "$1") clips=$(whole "$2") sprites=$(whole "$3") scenes=$(whole "$4") game=$(whole "$5") out=$(whole "$6")
percent=${7:-100}
cd "$(dirname "$0")/../.."
base=training/recipes/composed.safetensors

made() { # DIR COMMAND..., which writes the folder that is its last word; at once or not at all
    [ -d "$1" ] || { rm -rf "$1.part" && "${@:2}" "$1.part" && mv "$1.part" "$1"; }
}
with_game() { mkdir "$1" && cp -r "$scenes" "$1/scenes" && python -m recipes.wesnoth "$game" "$1"; }
with_clips() { animecut-train labels "$frames" "$1" && python -m recipes.clip_frames "$clips" "$1"; }

mkdir -p "$out"
made "$out/drawn" python -m samples.make_sprites
made "$out/game" with_game
made "$out/many" with_clips
animecut-train fit "$out/many" --out "$out/$percent" --steps $(((110 * percent + 99) / 100)) --resume \
    --scenes "$out/game/scenes" --sprites "$sprites" --sprites "$out/game/sprites" --sprites "$out/drawn" \
    --init "$base" --composites 0.5 --any-show --seed 5
animecut-train blend "$out/$percent/model.safetensors" "$base" --shares 0.7,0.3 --out "$out/$percent/anime.safetensors"
