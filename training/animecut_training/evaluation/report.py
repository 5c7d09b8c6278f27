"""One page about a run: what was learned, how well, and where it fails. A single file that needs no other."""

import base64
from collections.abc import Sequence
from html import escape
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from animecut.errors import OutputError, reason_of
from animecut.types import Segment
from animecut_training.data.check import overlay
from animecut_training.data.dataset import Labelled, alpha_of
from animecut_training.evaluation.evaluate import Figures
from animecut_training.evaluation.journal import Journal

WORST = 6  # pictures shown
SHOWN = 520  # pixels, width of a picture on the page
CURVE = 760, 200  # pixels, width and height
SMOOTH = 20  # steps that a loss is averaged over, as single batches differ much
STYLE = """body{font:15px/1.5 system-ui,sans-serif;max-width:60em;margin:2em auto;padding:0 1em;color:#222}
table{border-collapse:collapse}td,th{padding:.1em 1em;text-align:right;border-bottom:1px solid #ddd}
td:first-child,th:first-child{text-align:left}figure{display:inline-block;margin:.5em}img{max-width:100%}svg{background:#fafafa}"""


def write_report(
    path: Path,
    journal: Journal,
    per_image: Sequence[Figures],
    frames: Sequence[Labelled],
    segment: Segment,
    *,
    unseen: bool,
) -> None:
    """Write the page: curves, figures of every frame, the worst as overlays (truth beside prediction).

    unseen: whether the frames were left out of the training.  Raises OutputError.
    """
    by_name = {frame.name: frame for frame in frames}
    worst = sorted(per_image, key=_mean)[:WORST]
    title = "Frames that were not learned from" if unseen else "Frames that were learned from (they flatter)"
    page = [
        f"<!doctype html><meta charset=utf-8><title>animecut fit</title><style>{STYLE}</style><h1>animecut fit</h1>",
        f"<h2>{title}</h2>{_sentence(per_image)}",
        "<h2>Loss</h2>" + _curve(_smoothed([(one["step"], one["total"]) for one in journal.steps])),
        "<h2>IoU on what was left out</h2>" + _curve([(one["step"], one["iou"]) for one in journal.figures]),
        "<h2>The worst: truth, prediction</h2>",
        *(_figure(by_name[one.name], alpha_of(segment, by_name[one.name].rgb), one) for one in worst),
        "<h2>Every frame</h2><table><tr><th>frame<th>background<th>character<th>boundary F<th>MAD</tr>",
        *(
            f"<tr><td>{escape(one.name)}<td>{one.iou[0]:.3f}<td>{one.iou[1]:.3f}<td>{one.boundary_f:.2f}<td>{one.mad:.0f}</tr>"
            for one in sorted(per_image, key=_mean)
        ),
        "</table>",
    ]
    try:
        path.write_text("\n".join(page), encoding="utf-8", errors="replace")
    except OSError as error:
        raise OutputError(f"{path}: cannot be written ({reason_of(error)})") from error


def _mean(one: Figures) -> float:
    return sum(one.iou) / 2


def _sentence(per_image: Sequence[Figures]) -> str:
    background, character = np.mean([one.iou for one in per_image], axis=0)
    boundary = np.mean([one.boundary_f for one in per_image])
    return (
        f"<p>Mean image IoU <b>{(background + character) / 2:.3f}</b> over {len(per_image)} frames: background "
        f"{background:.3f}, character {character:.3f}. Boundary F {boundary:.2f}.</p>"
    )


def _smoothed(points: list[tuple[float, float]]) -> list[tuple[float, float]]:
    parts = [points[i : i + SMOOTH] for i in range(0, len(points), SMOOTH)]
    return [(part[-1][0], float(np.mean([y for _, y in part]))) for part in parts]


def _curve(points: list[tuple[float, float]]) -> str:
    """An SVG line with its range; a sentence where there is no line to draw."""
    if len(points) < 2:
        return f"<p>{points[0][1]:.3f} at step {points[0][0]:.0f}</p>" if points else "<p>nothing was left out</p>"
    (width, height), (x, y) = CURVE, np.array(points).T
    across = 40 + (width - 60) * (x - x[0]) / (x[-1] - x[0])
    up = height - 20 - (height - 40) * (y - y.min()) / max(float(np.ptp(y)), 1e-9)
    line = " ".join(f"{a:.1f},{b:.1f}" for a, b in zip(across, up, strict=True))
    return (
        f'<svg width="{width}" height="{height}"><polyline points="{line}" fill="none" stroke="#c04" stroke-width="2"/>'
        f'<text x="2" y="24">{y.max():.3f}</text><text x="2" y="{height - 18}">{y.min():.3f}</text>'
        f'<text x="40" y="{height - 3}">step {x[0]:.0f}</text>'
        f'<text x="{width - 80}" y="{height - 3}">step {x[-1]:.0f}</text></svg>'
    )


def _figure(frame: Labelled, predicted: NDArray[np.float32], one: Figures) -> str:
    pair = np.hstack([overlay(frame.rgb, frame.alpha), overlay(frame.rgb, predicted)])
    size = 2 * SHOWN, max(1, round(pair.shape[0] * 2 * SHOWN / pair.shape[1]))
    small = cv2.resize(pair, size, interpolation=cv2.INTER_AREA)
    encoded = base64.b64encode(cv2.imencode(".jpg", small[..., ::-1])[1].tobytes()).decode()
    caption = f"{escape(frame.name)}: IoU {_mean(one):.3f}, character {one.iou[1]:.3f}"
    return f'<figure><img src="data:image/jpeg;base64,{encoded}"><figcaption>{caption}</figcaption></figure>'
