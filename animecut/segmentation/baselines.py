"""What the PSPNet is compared with, kept and used as it is: FCN-8s and Mask R-CNN. A U-Net is one without a pyramid."""

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from animecut.segmentation.backbones import VGG, ConvNormAct, extractor
from animecut.segmentation.metadata import Architecture
from animecut.segmentation.pspnet import Network

LEVELS = ("1/8", "deep")  # names of the features that characters are looked for in
ANCHORS = ((48, 96), (192, 384))  # pixels, sides of the boxes begun with on each level; pictures are some 450 wide
CELLS = 7, 28  # per side of a box: those that it is judged by, and half of those that its mask has
JUDGED = 64  # boxes of a picture that one step learns from, as characters are few
FOUND = 20  # characters in a picture at most
SURE = 0.5  # probability from which a box holds a character


class FCN(Network):
    """FCN-8s (Long et al. 2015): scores at 1/32, 1/16 and 1/8 added up. `width` channels instead of fc6's 4096."""

    def __init__(self, architecture: Architecture) -> None:
        super().__init__(architecture, 32)
        self.backbone = VGG()
        *skips, deep = self.backbone.channels
        width, classes = architecture.width, len(architecture.classes)
        self.head = nn.Sequential(ConvNormAct(deep, width, 7), nn.Dropout2d(0.1), ConvNormAct(width, width, 1))
        self.classifier = nn.Conv2d(width, classes, 1)
        self.finer = nn.ModuleList(nn.Conv2d(channels, classes, 1) for channels in reversed(skips))

    def scores(self, features: list[Tensor]) -> Tensor:
        """Logits at 1/8."""
        *skips, deep = features
        y: Tensor = self.classifier(self.head(deep))
        for score, skip in zip(self.finer, reversed(skips), strict=True):
            y = F.interpolate(y, skip.shape[-2:], mode="bilinear", align_corners=False) + score(skip)
        return y


class MaskRCNN(Network):
    """Mask R-CNN (He et al. 2017) of torchvision's parts, on two levels of a pyramid of `width` channels.

    It finds each character by itself. All but the backbone computes in float32: boxes are no matter of eight bits.
    """

    def __init__(self, architecture: Architecture) -> None:
        from torchvision import ops  # heavy, and for those alone who ask for it
        from torchvision.models.detection import anchor_utils, faster_rcnn, mask_rcnn, roi_heads, rpn

        super().__init__(architecture, architecture.output_stride)
        width, classes = architecture.width, len(architecture.classes)
        self.backbone = extractor(architecture.backbone, architecture.output_stride)
        *_, eighth, deep = self.backbone.channels
        self.pyramid = ops.FeaturePyramidNetwork([eighth, deep], width)
        anchors = anchor_utils.AnchorGenerator(ANCHORS, ((0.5, 1.0, 2.0),) * len(LEVELS))
        self.proposals = rpn.RegionProposalNetwork(
            anchors, rpn.RPNHead(width, anchors.num_anchors_per_location()[0]), fg_iou_thresh=0.7, bg_iou_thresh=0.3,
            batch_size_per_image=JUDGED, positive_fraction=0.5, pre_nms_top_n={"training": 500, "testing": 300},
            post_nms_top_n={"training": 200, "testing": 100}, nms_thresh=0.7,
        )  # fmt: skip
        cells, fine = CELLS
        self.heads = roi_heads.RoIHeads(
            ops.MultiScaleRoIAlign(LEVELS, cells, 2), faster_rcnn.TwoMLPHead(width * cells**2, 2 * width),
            faster_rcnn.FastRCNNPredictor(2 * width, classes), fg_iou_thresh=0.5, bg_iou_thresh=0.5,
            batch_size_per_image=JUDGED, positive_fraction=0.25, bbox_reg_weights=None, score_thresh=SURE,
            nms_thresh=0.5, detections_per_img=FOUND, mask_roi_pool=ops.MultiScaleRoIAlign(LEVELS, fine, 2),
            mask_head=mask_rcnn.MaskRCNNHeads(width, (width // 2, width // 2), 1),
            mask_predictor=mask_rcnn.MaskRCNNPredictor(width // 2, width // 2, classes),
        )  # fmt: skip

    def forward(self, rgb: Tensor) -> Tensor:
        """Logits of background and character, all characters together; as of any network."""
        odds = torch.logit(self.alpha(rgb).amax(dim=1), eps=1e-4)
        return torch.stack([torch.zeros_like(odds), odds], dim=1)

    def alpha(self, rgb: Tensor) -> Tensor:
        """(B, n, H, W) in [0, 1]: each character apart, n of the picture that has most of them, and at least 1."""
        from torchvision.models.detection.roi_heads import paste_masks_in_image

        found, _ = self._searched(rgb, None)
        height, width = rgb.shape[-2:]
        planes = [paste_masks_in_image(one["masks"], one["boxes"], (height, width))[:, 0] for one in found]
        most = max(1, *map(len, planes))
        return torch.stack([F.pad(plane, (0, 0, 0, 0, 0, most - len(plane))) for plane in planes])

    def losses(self, rgb: Tensor, targets: list[dict[str, Tensor]]) -> dict[str, Tensor]:
        """The five losses of He et al. targets: each picture's "boxes", "labels" and "masks", as torchvision's."""
        return self._searched(rgb, targets)[1]

    def _searched(
        self, rgb: Tensor, targets: list[dict[str, Tensor]] | None
    ) -> tuple[list[dict[str, Tensor]], dict[str, Tensor]]:
        from torchvision.models.detection.image_list import ImageList

        x = self.prepared(rgb)
        levels = self.pyramid(dict(zip(LEVELS, self.backbone(x)[-len(LEVELS) :], strict=True)))
        sizes = [(rgb.shape[-2], rgb.shape[-1])] * len(rgb)
        with torch.autocast(rgb.device.type, enabled=False):
            features = {name: level.float() for name, level in levels.items()}
            boxes, found_losses = self.proposals(ImageList(x, sizes), features, targets)
            found, told_losses = self.heads(features, boxes, sizes, targets)
        return found, found_losses | told_losses
