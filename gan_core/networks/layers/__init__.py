"""The kinds of layers: each one class, which says all that is known of it. `Layer` is what they have in common."""

from gan_core.networks.layers.activations import Activation, Maxout, activation
from gan_core.networks.layers.convolutions import Conv, ConvTransposed, Pool, Pooled, Upsample, Upsampled
from gan_core.networks.layers.dense import Dense
from gan_core.networks.layers.layer import Layer, Place, Shape, Variables, copied, kind_of, source_of
from gan_core.networks.layers.normalisation import NORM_LAYERS, BatchNorm, LayerNorm, Norm
from gan_core.networks.layers.plan import Plan, activations, connected, flattened, folded, measure, products
from gan_core.networks.layers.regularisation import Dropout, MinibatchStd
from gan_core.networks.layers.residual import Residual
from gan_core.networks.layers.shaping import Flatten, PixelShuffle, PixelUnshuffle, Reshape
from gan_core.networks.layers.weighted import Weighted

__all__ = [
    "NORM_LAYERS",
    "Activation",
    "BatchNorm",
    "Conv",
    "ConvTransposed",
    "Dense",
    "Dropout",
    "Flatten",
    "Layer",
    "LayerNorm",
    "Maxout",
    "MinibatchStd",
    "Norm",
    "PixelShuffle",
    "PixelUnshuffle",
    "Place",
    "Plan",
    "Pool",
    "Pooled",
    "Reshape",
    "Residual",
    "Shape",
    "Upsample",
    "Upsampled",
    "Variables",
    "Weighted",
    "activation",
    "activations",
    "connected",
    "copied",
    "flattened",
    "folded",
    "kind_of",
    "measure",
    "products",
    "source_of",
]
