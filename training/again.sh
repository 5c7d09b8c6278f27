#!/usr/bin/env bash
# What the card of the weights that come along says of how they were made, done again: 5,600 steps, each of 1 to 2 s on
# two cores. What was stopped goes on.
#
#   bash training/again.sh FRAMES CLIPS SPRITES SCENES GAME BACKBONE OUT [PERCENT]
#
# FRAMES: anime30, as its author labelled it.  CLIPS: the clips whose outlines are in training/clips.json.
# SPRITES: RGBA characters, a folder for each source.  SCENES: pictures without characters.
# GAME: the folder `data` of Battle for Wesnoth 1.16 with its campaigns.  BACKBONE: voc-mobilenetv2-features.safetensors.
# PERCENT of the steps: 100; with 1 it only tries whether all is there.
set -euo pipefail
whole() { realpath -m "$1"; }
frames=$(whole "$1") clips=$(whole "$2") sprites=$(whole "$3") scenes=$(whole "$4")
game=$(whole "$5") backbone=$(whole "$6") out=$(whole "$7")
percent=${8:-100}
cd "$(dirname "$0")/.."

made() { # DIR COMMAND..., which writes the folder that is its last word; at once or not at all
    [ -d "$1" ] || { rm -rf "$1.part" && "${@:2}" "$1.part" && mv "$1.part" "$1"; }
}
with_game() { mkdir "$1" && cp -r "$scenes" "$1/scenes" && python -m training.wesnoth "$game" "$1"; }
with_clips() { cp -r "$out/few" "$1" && python -m training.clip_frames "$clips" "$1"; }
fit() { # NAME DATA STEPS/100 FURTHER-WORDS...
    [ -e "$runs/$1.done" ] || animecut-train fit "$2" --out "$runs/$1" --steps $(($3 * percent)) --resume \
        --scenes "$out/game/scenes" --sprites "$sprites" --sprites "$out/game/sprites" --sprites "$out/drawn" "${@:4}"
    touch "$runs/$1.done" # taken up again, a finished run would be written anew, and so be another to begin with
}

runs=$out/$percent
mkdir -p "$runs"
made "$out/drawn" python -m samples.make_sprites
made "$out/game" with_game
made "$out/few" animecut-train labels "$frames"
made "$out/many" with_clips
fit pre "$out/few" 44 --init "$backbone" --composites 1
onward=(--init "$runs/pre/model.safetensors" --composites 0.5 --any-show)
fit any "$out/few" 4 "${onward[@]}" --seed 3
fit clips "$out/many" 4 "${onward[@]}" --seed 3
fit more "$out/many" 4 "${onward[@]}" --seed 5
animecut-train blend "$runs"/{clips,more,any,pre}/model.safetensors --shares 0.3,0.3,0.3,0.1 --out "$runs/anime.safetensors"
