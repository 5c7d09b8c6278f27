"""Coarse alpha to a sticker's soft edge, clean of the background's colour. The only door to pymatting.

The coarse alpha knows where a character is, but not to the pixel. Where it doubts, the picture decides: first by which
colours lie nearby inside and outside, and by the ink line, which belongs to the character; then by closed-form matting
in the narrow band that is still open. Last, the edge's own colours are estimated, so that no background stays in it.
Everything is a function of one picture, and may be called from several threads.
"""

from importlib.util import find_spec
from typing import TYPE_CHECKING, Any, Literal

import cv2
import numpy as np
from numpy.typing import NDArray

from animecut._util.masks import Mask, Plane, bounding_window, distance_to, gaussian_blur
from animecut.errors import SettingsError
from animecut.matte.color_model import ColorModel
from animecut.matte.guided_filter import guided_filter

if TYPE_CHECKING:
    from scipy.sparse import csr_matrix

Matting = Literal["guided", "closed-form", "knn", "none"]
Rgb = NDArray[np.uint8]

SOLVED = ("closed-form", "knn")  # ways that pymatting solves; it is an extra, with numba

SURE = 0.05  # probability from 0 or from 1 within which the network is believed, away from its contour
REACH = 3.0  # pixels of the network's grid: so far from its contour the network may be wrong without knowing
FAR = 12.0  # pixels of the network's grid: so far a whole region, such as the gap beside an arm, may be
REGION = 3  # pixels: regions are at least as wide
ROUNDS = 2  # times that colours are counted: what the first round put right tells the second more
CAUTION = 0.02  # probability from 0 and 1 beyond which the network's sureness counts no more against colour
DOUBT_LIMIT = 0.5  # share of the picture: where more is in doubt, colours tell nothing and the coarse alpha stays
EVIDENCE_WEIGHT = 2.5  # of the log odds of colour against those of the network
INK_REACH = 3  # pixels: half the width of the widest ink line
INK_CONTRAST = 20.0  # of 255: a line this much darker than both its sides is ink for certain
INK_WEIGHT = 2.0  # log odds by which ink beside the character is the character's
INK_PRESENCE = (0.1, 0.3)  # probability of the network at which ink begins to count, and counts in full
BAND = 1.5  # pixels: the blur whose grey zone is handed to the matting
STRIP = 40  # pixels: rows of the picture for which the matting is set up at once
HALO = 2  # pixels: as far as a pixel's row of the matting Laplacian reaches
PRIOR = 0.03  # weight of a sure guess against the matting's colour lines
PRIOR_FLOOR = 1e-4  # weight of an even guess; keeps the equations well-conditioned
EPSILON = 1e-5  # closed-form's regularisation, for flat colours with a codec's noise on them
TAIL = 0.08  # alpha within this of 0 or 1 is a tail of the matting, not glass
NEIGHBOURS = 8  # pixels around the edge in which its colours are looked for
CLEAR = 5  # of 255: an alpha this near to 0 or 255 shows one colour alone
STRAND_LEAST = 76  # of 255: alpha from which the crest of a strand tells its colour
TRUST = 0.05  # weight of the nearest colours against the picture
SOLID = 0.5  # alpha from which a pixel shows where it can only be on or off
STRAND = 6  # pixels: what is thin and smaller than this is the stair, not a strand


def warm_up(matting: Matting) -> None:
    """Load what a way of matting needs, pymatting compiling for half a minute when a machine does it first.

    May run in a thread of its own. Raises SettingsError where it is not installed.
    """
    check_installed(matting)
    if matting in SOLVED:
        import pymatting  # noqa: F401


def check_installed(matting: Matting) -> None:
    """Raise SettingsError where a way of matting needs pymatting, and that is not installed."""
    if matting in SOLVED and find_spec("pymatting") is None:
        raise SettingsError("needs pymatting; pip install 'animecut[matting]'", field="matting", value=matting)


def refine(
    rgb: Rgb, alpha: Plane, *, matting: Matting = "guided", grain: float = 2.0
) -> tuple[NDArray[np.uint8], bool]:
    """The character of one picture as straight RGBA, and whether the network doubts too much of it to be matted.

    rgb:     (H, W, 3) uint8.
    alpha:   (H, W) float32 in [0, 1], the Segmenter's probability, resampled onto the same pixels.
    matting: guided (a guided filter, He et al. 2010), closed-form (Levin et al. 2008; a little better, five times
             slower), knn (Chen et al. 2013; slow, for stills), or none: alpha stays as it is.
    grain:   pixels of the picture to one pixel of the network's grid.

    Returns (H, W, 4) uint8: where alpha is 255 the colour is the source's own, where it is 0 the colour is black. And
    True where the alpha stays as with none because more than DOUBT_LIMIT of the picture is in doubt.
    """
    hopeless = False
    if matting != "none":
        away = _from_contour(alpha)
        doubtful = _doubtful(alpha, away, grain)
        hopeless = bool(doubtful.mean() > DOUBT_LIMIT)
        if not hopeless:
            alpha = _matted(rgb, alpha, doubtful, away <= FAR * grain, matting)
    opacity = np.rint(alpha * 255).astype(np.uint8)
    return np.asarray(cv2.merge([_clean_colour(rgb, opacity), opacity]), np.uint8), hopeless


def to_one_bit_alpha(rgba: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """The same picture with an alpha of 0 or 255 only, its contour smooth, its strands and the gaps between them kept.

    rgba: (..., H, W, 4) uint8 straight, its edge clean as `refine` leaves it. No dither, and pixels that become solid
    take the colour of the character beside them, so that no rim shows on black or on white.
    """
    if rgba.ndim > 3:
        return np.stack([to_one_bit_alpha(picture) for picture in rgba])
    alpha = rgba[..., 3].astype(np.float32) / 255
    soft = gaussian_blur(alpha, 0.8)
    solid = _with_strands(soft > SOLID, alpha > SOLID)
    solid = ~_with_strands(~solid, alpha <= SOLID)
    weight = gaussian_blur(alpha, 1.0)
    around = gaussian_blur(rgba[..., :3] * alpha[..., None], 1.0) / np.maximum(weight, 1e-3)[..., None]
    own = np.clip(2 * alpha, 0, 1)[..., None]  # of a faint pixel even the estimated colour is a guess
    colour = np.rint(own * rgba[..., :3] + (1 - own) * around).astype(np.uint8)
    return np.dstack([colour * solid[..., None], solid.astype(np.uint8) * np.uint8(255)])


def _with_strands(smooth: Mask, crisp: Mask) -> Mask:
    """A smoothed mask, and of the crisp one whatever was too thin to survive the smoothing."""
    lost = crisp & ~_grown(smooth, 1)
    _, labels, stats, _ = cv2.connectedComponentsWithStats(lost.view(np.uint8))
    strand = np.asarray(stats)[:, cv2.CC_STAT_AREA] >= STRAND
    strand[0] = False
    return smooth | (_grown(strand[labels], 1) & crisp)


def _matted(rgb: Rgb, alpha: Plane, doubtful: Mask, near: Mask, matting: Matting) -> Plane:
    guess, doubtful = _guessed(rgb, alpha, doubtful, near)
    grey = gaussian_blur(guess, BAND)
    band = doubtful & (grey > 0.02) & (grey < 0.98)
    if band.any():
        crop = bounding_window(band, margin=2)
        guess[crop] = _solved(rgb[crop], np.where(band, guess, guess > SOLID)[crop], band[crop], matting)
    cleared: Plane = np.clip((guess - TAIL) / (1 - 2 * TAIL), 0, 1)
    return cleared


def _guessed(rgb: Rgb, alpha: Plane, doubtful: Mask, near: Mask) -> tuple[Plane, Mask]:
    """How surely each pixel is character, by network, colour and ink together, and where that is in doubt.

    doubtful: where the network cannot be believed.  near: where colours may contradict it, in whole regions only.
    Colours are counted where all is sure, and counted again with what they told (as GrabCut does, Rother et al. 2004).
    """
    inside, asked = alpha > SOLID, doubtful | near
    guess = inside.astype(np.float32)
    if not doubtful.any():
        return guess, doubtful
    odds = _log_odds(np.clip(alpha[asked], CAUTION, 1 - CAUTION)) + INK_WEIGHT * _ink(rgb, alpha)[asked]
    colours, sure = ColorModel(rgb, asked), alpha
    for _ in range(ROUNDS):
        guess[asked] = 1 / (1 + np.exp(-odds - EVIDENCE_WEIGHT * colours.evidence(sure)))
        wide = cv2.morphologyEx((inside != (guess > SOLID)).view(np.uint8), cv2.MORPH_OPEN, np.ones((REGION, REGION)))
        doubtful = doubtful | _grown(wide.astype(np.bool_), REGION)
        guess = np.where(doubtful, guess, inside).astype(np.float32)
        sure = guess
    return guess, doubtful


def _doubtful(alpha: Plane, away: Plane, grain: float) -> Mask:
    """The trimap's unknown: where the network says so, and a strip along its contour where it may be wrong unawares."""
    return (away <= REACH * grain) | ((alpha > SURE) & (alpha < 1 - SURE))


def _from_contour(alpha: Plane) -> Plane:
    """Pixels from each place to the contour of what is solid."""
    inside = alpha > SOLID
    return distance_to(~inside) + distance_to(inside)


def _ink(rgb: Rgb, alpha: Plane) -> Plane:
    """How surely each pixel is a dark line that belongs to the character, in [0, 1]."""
    grey = cv2.cvtColor(rgb, cv2.COLOR_RGB2GRAY)
    disc = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * INK_REACH + 1, 2 * INK_REACH + 1))
    contrast = cv2.morphologyEx(grey, cv2.MORPH_BLACKHAT, disc).astype(np.float32)
    dark = np.clip(2 * contrast / INK_CONTRAST - 1, 0, 1)
    low, high = INK_PRESENCE
    ink: Plane = dark * np.clip((alpha - low) / (high - low), 0, 1)
    return ink


def _solved(rgb: Rgb, guess: Plane, band: Mask, matting: Matting) -> Plane:
    """The guess, in its band replaced by the alpha that best fits both it and the picture's colour lines.

    The guided filter does so window by window. The others minimise x'Lx + (x - guess)'D(x - guess) with a matting
    Laplacian L, the rest of the picture being known:

        [L_U + D   R  ] [x    ]   [D guess]
        [R'        L_K] [known] = [...    ]
    """
    if matting == "guided":
        return np.where(band, np.clip(guided_filter(rgb, guess), 0, 1), guess)
    import pymatting

    image = rgb / 255.0
    unknown = band.ravel()
    start = guess.ravel()[unknown].astype(np.float64)
    rows: Any = pymatting.knn_laplacian(image)[unknown] if matting == "knn" else _laplacian(image, band)
    trust = PRIOR * np.abs(2 * start - 1) + PRIOR_FLOOR
    matrix = rows[:, unknown]
    matrix.setdiag(matrix.diagonal() + trust)
    right = trust * start - rows @ np.where(unknown, 0, guess.ravel()).astype(np.float64)
    try:
        # Jacobi, not pymatting's incomplete Cholesky: three times faster on thin bands, and it never prints.
        x = pymatting.cg(matrix, right, x0=start, M=pymatting.jacobi(matrix), atol=1e-9, rtol=3e-3, maxiter=1000)
    except ValueError:  # not converged
        return guess
    solved = guess.copy()
    solved[band] = np.clip(x, 0, 1)
    return solved


def _laplacian(image: NDArray[np.float64], band: Mask) -> "csr_matrix":
    """Rows of the matting Laplacian of a picture for the pixels of a band, in order.

    pymatting's cost is by area, and a band is thin. So the picture goes strip by strip, each pushed together to the
    columns that the rows of its band reach.
    """
    import pymatting
    from scipy.sparse import csr_matrix, vstack

    height, width = band.shape
    strips = []
    for top in range(0, height, STRIP):
        first, last = max(0, top - HALO), min(height, top + STRIP + HALO)
        asked = np.zeros((last - first, width), np.bool_)
        asked[top - first : top - first + STRIP] = band[top : top + STRIP]
        columns = np.flatnonzero(_grown(asked, HALO).any(axis=0))
        if not len(columns):
            continue
        asked = asked[:, columns]
        laplacian = pymatting.cf_laplacian(image[first:last, columns], epsilon=EPSILON, is_known=~asked)
        rows = laplacian[asked.ravel()]
        place = (np.arange(first, last)[:, None] * width + columns).ravel()
        shape = rows.shape[0], band.size
        strips.append(csr_matrix((rows.data, place[rows.indices], rows.indptr), shape))
    return vstack(strips, "csr")


def _clean_colour(rgb: Rgb, opacity: NDArray[np.uint8]) -> Rgb:
    """The character's own colours where it is not opaque.

    Each mixed pixel is between two colours: that of the nearest pixel of the character that is opaque, or as opaque as
    a strand gets, and that of the nearest pixel without it. Both give way, by their shares, until they mix to the
    picture: the regularised compositing equation, solved pixel by pixel. Anime is flat, so what is nearest is alike.
    """
    colour = np.asarray(cv2.bitwise_and(rgb, rgb, mask=opacity), np.uint8)
    mixed = (opacity > 0) & (opacity < 255)
    if not mixed.any():
        return colour
    crop = bounding_window(mixed, margin=NEIGHBOURS)
    asked, level, image = mixed[crop], opacity[crop], rgb[crop]
    clear, opaque = level <= CLEAR, level >= 255 - CLEAR
    crest = (level > STRAND_LEAST) & ~opaque & (level == cv2.dilate(level, np.ones((3, 3), np.uint8)))
    drawn, share = image.astype(np.float32), level[..., None] / np.float32(255)
    ground = drawn[_nearest(clear, crest)]
    drawn[crest] = np.clip((drawn[crest] - (1 - share[crest]) * ground) / share[crest], 0, 255)
    own, behind = drawn[_nearest(opaque | crest, asked)], image[_nearest(clear, asked)].astype(np.float32)
    a = share[asked]
    rest = image[asked] - a * own - (1 - a) * behind
    colour[mixed] = np.rint(np.clip(own + a * rest / (a**2 + (1 - a) ** 2 + TRUST), 0, 255)).astype(np.uint8)
    return colour


def _nearest(there: Mask, asked: Mask) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Row and column of what is there nearest to each asked pixel; of the pixel itself where nothing is there."""
    if not there.any():
        rows, columns = np.nonzero(asked)
        return rows, columns
    _, label = cv2.distanceTransformWithLabels(
        (~there).view(np.uint8), cv2.DIST_L2, cv2.DIST_MASK_5, labelType=cv2.DIST_LABEL_PIXEL
    )
    table = np.zeros(int(label.max()) + 1, np.intp)
    table[label[there]] = np.flatnonzero(there)
    rows, columns = np.divmod(table[label[asked]], there.shape[1])
    return rows, columns


def _log_odds(probability: Plane) -> Plane:
    odds: Plane = np.log(probability / (1 - probability))
    return odds


def _grown(mask: Mask, pixels: int) -> Mask:
    side = 2 * pixels + 1
    return np.asarray(cv2.dilate(mask.astype(np.uint8), np.ones((side, side), np.uint8)), np.bool_)
