"""Plans (architectures.py) -> Keras models. The same seed gives the same initial weights."""

from __future__ import annotations

import functools

from gan_core.foundations.hyperparameters import ConfigError, Settings
from gan_core.foundations.lazy_imports import keras, tf
from gan_core.networks import architectures as plan

# Keras's 0.99 would show the initial statistics for hundreds of steps.
BATCH_NORM_MOMENTUM = 0.9
D_SEED = 100  # apart from the generator's


def build(config: Settings, shape: tuple[int, ...], seed: int, classes: int = 0):
    """(generator, discriminator) for samples of `shape`; Glorot-uniform weights, zero biases.

    With `classes` > 0 both take a one-hot class [batch, classes]: the generator behind z in the same vector, the
    discriminator as a second input, by projection (Miyato and Koyama, arXiv 1802.05637). With `config.packing` > 1 the
    discriminator takes packs (architectures.packed).
    """
    generator, discriminator = plan.plans(config, shape)
    if plan.ARCHITECTURES[config.architecture].models is not None:
        return _given(config, shape, seed)
    z = keras.Input((config.latent_dim + classes,))
    seeds = iter(range(seed, seed + D_SEED))
    g = keras.Model(z, _run(generator, z, seeds), name="generator")
    x = keras.Input(plan.packed(shape, config.packing))
    seeds = iter(range(seed + D_SEED, seed + 2 * D_SEED))
    features = _run(discriminator[:-1], x, seeds)
    logit = _run(discriminator[-1:], features, seeds)
    if not classes:
        return g, keras.Model(x, logit, name="discriminator")
    y = keras.Input((classes,))
    row = _weighted(plan.Dense(features.shape[-1]), next(seeds), use_bias=False)
    if discriminator[-1].norm == "spectral":
        row = _spectral_class()(row, next(seeds), use_bias=False)
    row = row(y)
    logit = keras.layers.Add()([logit, keras.layers.Dot(axes=1)([features, row])])
    return g, keras.Model([x, y], logit, name="discriminator")


def _given(config: Settings, shape: tuple[int, ...], seed: int):
    """The Keras models that a row of ARCHITECTURES makes itself; raises ConfigError for what cannot be trained."""
    name = config.architecture
    keras.utils.set_random_seed(seed % 2**32)  # its layers name no seeds
    models = plan.ARCHITECTURES[name].models(config, shape)
    if not isinstance(models, tuple) or len(models) != 2 or not all(isinstance(m, keras.Model) for m in models):
        raise ConfigError(f"The architecture {name} must give two Keras models: (generator, discriminator).")
    sides = ("generator", (config.latent_dim,), tuple(shape)), ("discriminator", tuple(shape), (1,))
    for model, (side, given, wanted) in zip(models, sides, strict=True):
        found = tuple(model.compute_output_shape((None, *given)))[1:]
        if found != wanted:
            raise ConfigError(f"The {side} of the architecture {name} gives shape {found}, and must give {wanted}.")
        model.name = side  # by which the table of layers knows it
    return models


def _run(layers, x, seeds):
    for layer in plan.folded(layers):
        x = _apply(layer, x, seeds)
    return x


def _apply(layer, x, seeds):
    """What `layer` of a plan makes of the symbolic tensor `x`."""
    match layer:
        case plan.Residual(main, shortcut):
            return keras.layers.Add()([_run(main, x, seeds), _run(shortcut, x, seeds)])
        case plan.Dense() | plan.Conv() | plan.ConvTransposed() | plan.Upsampled() | plan.Pooled():
            norm = (layer.conv if isinstance(layer, plan.Upsampled | plan.Pooled) else layer).norm
            if norm == "spectral":
                return _spectral_class()(_weighted(layer, next(seeds), use_bias=False), seed=next(seeds))(x)
            return _weighted(layer, next(seeds))(x)
        case plan.Activation("leaky_relu"):
            return keras.layers.LeakyReLU(negative_slope=0.2)(x)
        case plan.Activation("maxout"):
            pieces = keras.layers.Reshape((*x.shape[1:-1], x.shape[-1] // plan.MAXOUT_PIECES, plan.MAXOUT_PIECES))(x)
            return keras.layers.Lambda(lambda p: tf.reduce_max(p, -1), name=f"maxout_{next(seeds)}")(pieces)
        case plan.Activation(name):
            return keras.layers.Activation("silu" if name == "swish" else name)(x)
        case plan.Norm("batch"):
            return keras.layers.BatchNormalization(momentum=BATCH_NORM_MOMENTUM)(x)
        case plan.Norm("layer"):
            # One group is layer normalisation over height, width and channels, with a scale for each channel.
            return keras.layers.GroupNormalization(groups=1)(x)
        case plan.Dropout(rate):
            return keras.layers.Dropout(rate, seed=next(seeds))(x)
        case plan.MinibatchStd():
            return _minibatch_std_class()()(x)
        case plan.Reshape(shape):
            return keras.layers.Reshape(shape)(x)
        case plan.Flatten():
            return keras.layers.Flatten()(x)
        case plan.Upsample():
            return keras.layers.UpSampling2D(2)(x)
        case plan.Pool():
            return keras.layers.AveragePooling2D(2)(x)
    raise TypeError(f"no such layer: {layer}")


def _weighted(layer, seed: int, use_bias: bool = True):
    rest = {"kernel_initializer": keras.initializers.GlorotUniform(seed=seed), "use_bias": use_bias}
    match layer:
        case plan.Dense(units):
            return keras.layers.Dense(units, **rest)
        case plan.Conv(filters, kernel, stride):
            return keras.layers.Conv2D(filters, kernel, stride, padding="same", **rest)
        case plan.ConvTransposed(filters, kernel, stride):
            return keras.layers.Conv2DTranspose(filters, kernel, stride, padding="same", **rest)
        case plan.Upsampled(conv) | plan.Pooled(conv):
            made = _folded_classes()[type(layer)]
            return made(conv.filters, conv.kernel, padding="same", **rest)


@functools.cache
def _folded_classes():
    """A convolution commutes with enlarging and with averaging, so both happen in its kernel: 4/9 of the products, and
    no large picture is kept for the way back (the form that StyleGAN computes, arXiv 1812.04948)."""

    def spread(kernel):
        """[3, 3, ...] -> [4, 4, ...]: each value to four neighbours."""
        kernel = tf.pad(tf.convert_to_tensor(kernel), [[1, 1], [1, 1], [0, 0], [0, 0]])
        kernel = kernel[1:] + kernel[:-1]
        return kernel[:, 1:] + kernel[:, :-1]

    class UpsampledConv(keras.layers.Conv2D):
        """UpSampling2D(2), then Conv2D with kernel 3."""

        before, after = keras.layers.UpSampling2D, None

        def call(self, x):
            kernel = tf.transpose(tf.reverse(spread(self.kernel), [0, 1]), [0, 1, 3, 2])
            shape = tf.shape(x)
            size = tf.stack([shape[0], 2 * shape[1], 2 * shape[2], self.filters])
            y = tf.nn.conv2d_transpose(x, kernel, size, 2, "SAME")
            return tf.nn.bias_add(y, self.bias) if self.use_bias else y

        def compute_output_shape(self, shape):
            return (shape[0], 2 * shape[1], 2 * shape[2], self.filters)

    class PooledConv(keras.layers.Conv2D):
        """Conv2D with kernel 3, then AveragePooling2D(2), of pictures with an even side."""

        before, after = None, keras.layers.AveragePooling2D

        def call(self, x):
            y = tf.nn.conv2d(x, spread(self.kernel) / 4.0, 2, "SAME")
            return tf.nn.bias_add(y, self.bias) if self.use_bias else y

        def compute_output_shape(self, shape):
            return (shape[0], shape[1] // 2, shape[2] // 2, self.filters)

    return {plan.Upsampled: UpsampledConv, plan.Pooled: PooledConv}


@functools.cache
def _spectral_class():
    class SpectralNorm(keras.layers.Layer):
        """Spectral normalisation (Miyato et al., arXiv 1802.05957): one power iteration a training call.

        The layer is linear in its kernel, so its output is divided instead of the kernel; the bias comes after. The
        gradient passes through sigma = vᵀ W u with u and v held fixed. Keras's own SpectralNormalization assigns
        the divided kernel, so that no gradient passes through the norm, and acts only while training.
        """

        def __init__(self, layer, seed: int, use_bias: bool = True):
            super().__init__()
            self.layer, self._u_seed, self._use_bias = layer, seed, use_bias

        def build(self, shape):
            self.layer.build(shape)
            columns = self.layer.kernel.shape[-2 if self._transposed() else -1]
            self.u = self.add_weight(
                shape=(columns, 1),
                initializer=keras.initializers.RandomNormal(stddev=1.0, seed=self._u_seed),
                trainable=False,
                name="u",
            )
            if self._use_bias:
                self.bias = self.add_weight(shape=(columns,), initializer="zeros", name="bias")

        def _transposed(self) -> bool:
            return isinstance(self.layer, keras.layers.Conv2DTranspose)

        def _matrix(self, kernel):
            """[everything else, outputs]."""
            kernel = tf.convert_to_tensor(kernel)
            if self._transposed():  # [height, width, outputs, inputs]
                kernel = tf.transpose(kernel, [0, 1, 3, 2])
            return tf.reshape(kernel, [-1, kernel.shape[-1]])

        def call(self, x, training=False):
            matrix, u = self._matrix(self.layer.kernel), tf.convert_to_tensor(self.u)
            fixed = tf.stop_gradient(matrix)
            v = tf.math.l2_normalize(tf.matmul(fixed, u))
            u = tf.math.l2_normalize(tf.matmul(fixed, v, transpose_a=True))
            if training:
                self.u.assign(u)
            sigma = tf.squeeze(tf.matmul(v, tf.matmul(matrix, u), transpose_a=True))
            y = self.layer(x) / sigma
            return y + tf.convert_to_tensor(self.bias) if self._use_bias else y

        def compute_output_shape(self, shape):
            return self.layer.compute_output_shape(shape)

    return SpectralNorm


@functools.cache
def _minibatch_std_class():
    class MinibatchStd(keras.layers.Layer):
        """[batch, n] -> [batch, n + 1]: the features' mean standard deviation over the batch (arXiv 1710.10196, 3).

        A sample that is looked at by itself (training=False) is judged as if its batch varied as much as training's
        last ones did: a running mean, as batch norm keeps.
        """

        def build(self, shape):
            self.typical = self.add_weight(shape=(1,), initializer="ones", trainable=False, name="typical")

        def call(self, x, training=False):
            if training:
                std = tf.reduce_mean(tf.sqrt(tf.math.reduce_variance(x, 0) + 1e-8), keepdims=True)
                self.typical.assign(0.9 * self.typical + 0.1 * tf.stop_gradient(std))
            else:
                std = tf.convert_to_tensor(self.typical)
            # A product instead of a concatenation, whose second derivative XLA does not know.
            n = x.shape[1]
            return tf.matmul(x, tf.eye(n, n + 1)) + std * tf.one_hot([n], n + 1)

        def compute_output_shape(self, shape):
            return (shape[0], shape[1] + 1)

    return MinibatchStd


def layers(model) -> list[dict]:
    """A row for each layer of a model: network, layer, output shape, parameters."""
    return [
        {
            "network": model.name,
            "layer": _described(layer),
            "output": " x ".join(str(n) for n in layer.output.shape[1:]),
            "parameters": layer.count_params(),
        }
        for layer in model.layers
        if not isinstance(layer, keras.layers.InputLayer)
    ]


def _described(layer) -> str:
    kind = type(layer).__name__
    if kind == "SpectralNorm":
        return f"{_described(layer.layer)}, spectral norm"
    if kind == "Lambda" and layer.name.startswith("maxout"):
        return "Maxout"  # the one that _apply makes
    if kind == "UpsampledConv":
        return "UpSampling2D (2), Conv2D (kernel 3, stride 1)"
    if kind == "PooledConv":
        return "Conv2D (kernel 3, stride 1), AveragePooling2D (2)"
    if kind.startswith("Conv2D"):
        return f"{kind} (kernel {layer.kernel_size[0]}, stride {layer.strides[0]})"
    return f"{kind} ({layer.activation.__name__})" if kind == "Activation" else kind
