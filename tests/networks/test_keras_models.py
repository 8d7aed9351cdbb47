"""The Keras models: shapes, parameters, initial weights, and what a forward pass computes."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from gan_core.networks import keras_models
from gan_core.networks.architectures import ARCHITECTURES, parameter_counts
from gan_core.networks.layers import Conv, ConvTransposed, Dense, Maxout, MinibatchStd, Pool, Upsample, connected
from gan_core.networks.network_hyperparameters import ACTIVATIONS, NORMS
from gan_core.settings.config import GANConfig
from gan_core.settings.presets import PRESETS

SMALL = {"g_layers": 2, "g_units": 7, "d_layers": 1, "d_units": 5, "latent_dim": 3}
PICTURES = {"data": "digits", "architecture": "dcgan", "filters": 8, "latent_dim": 5, "g_units": 8, "d_units": 8}
PICTURES |= {"g_norm": "none", "d_norm": "none", "dropout": 0, "g_output": "tanh"}
BATCH = np.random.default_rng(0).normal(size=(11, 3)).astype(np.float32)


def build(seed=0, **settings):
    """For points."""
    return keras_models.build(GANConfig.from_flat({**SMALL, **settings}), (2,), seed)


def build_pictures(shape=(28, 28, 1), seed=0, classes=0, **settings):
    return keras_models.build(GANConfig.from_flat({**PICTURES, **settings}), shape, seed, classes)


def pictures(n=6, shape=(28, 28, 1)):
    return np.random.default_rng(1).uniform(-1, 1, (n, *shape)).astype(np.float32)


def weights(model):
    return [v.numpy() for v in model.trainable_variables]


def by_hand(model, x, bend):
    """The forward pass of dense layers with `bend` between them, in double precision."""
    variables = [w.astype(float) for w in weights(model)]
    for kernel, bias in zip(variables[:-2:2], variables[1:-2:2], strict=True):
        x = bend(x @ kernel + bias)
    return x @ variables[-2] + variables[-1]


BENDS = {
    "relu": lambda x: np.maximum(x, 0),
    "leaky_relu": lambda x: np.where(x > 0, x, 0.2 * x),
    "tanh": np.tanh,
    "elu": lambda x: np.where(x > 0, x, np.expm1(np.minimum(x, 0))),
    "swish": lambda x: x / (1 + np.exp(-x)),
    "maxout": lambda x: x.reshape(len(x), -1, 5).max(-1),
}


# -- shapes and parameters ----------------------------------------------------------------------------------


def all_pictures():
    """Every architecture at every size that it makes, gray and in colour, with every normalisation it knows."""
    for name, row in ARCHITECTURES.items():
        for side in row.sides or (28, 32, 48, 64):
            for channels in (1, 3):
                for norm in NORMS if "d_norm" in row.knobs else ("none",):
                    yield pytest.param(name, (side, side, channels), norm, id=f"{name}-{side}-{channels}-{norm}")


@pytest.mark.parametrize("name, shape, norm", all_pictures())
def test_shapes_and_parameters_of_pictures(name, shape, norm):
    settings = {"architecture": name, "g_norm": norm, "d_norm": norm}
    generator, discriminator = build_pictures(shape, **settings)
    config = GANConfig.from_flat({**PICTURES, **settings})
    assert (generator.count_params(), discriminator.count_params()) == parameter_counts(config, shape)
    z = np.random.default_rng(2).normal(size=(2, 5)).astype(np.float32)
    fake = generator(z)
    assert fake.shape == (2, *shape) and fake.dtype == tf.float32
    assert 0 < np.abs(fake).max() <= 1
    logits = discriminator(fake)
    assert logits.shape == (2, 1) and logits.dtype == tf.float32
    assert np.isfinite(logits).all()


@pytest.mark.parametrize("norm", NORMS)
def test_shapes_and_parameters_of_points(norm):
    generator, discriminator = build(g_norm=norm, d_norm=norm, d_layers=2)
    config = GANConfig.from_flat({**SMALL, "g_norm": norm, "d_norm": norm, "d_layers": 2})
    assert (generator.count_params(), discriminator.count_params()) == parameter_counts(config, (2,))
    fake = generator(BATCH)
    assert fake.shape == (11, 2) and fake.dtype == tf.float32
    logits = discriminator(fake)
    assert logits.shape == (11, 1) and logits.dtype == tf.float32


# (shape, generator's, discriminator's): kernel and bias of each layer, then batch norm's four numbers a map.
TUTORIALS = {
    "tutorial-disc": (
        (2,),
        (100 * 256 + 256) + 2 * (256 * 256 + 256) + (256 * 2 + 2),
        (2 * 256 + 256) + 2 * (256 * 256 + 256) + (256 * 1 + 1),
    ),
    "tutorial-mnist-mlp": (
        (28, 28, 1),
        (100 * 256 + 256) + 2 * (256 * 256 + 256) + (256 * 784 + 784),
        (784 * 256 + 256) + 2 * (256 * 256 + 256) + (256 * 1 + 1),
    ),
    "tutorial-mnist-conv": (
        (28, 28, 1),
        (100 * 128 + 128) + (4 * 4 * 8 * 64 + 64) + (4 * 4 * 64 * 1 + 1),
        (4 * 4 * 1 * 64 + 64) + (14 * 14 * 64 * 1 + 1),
    ),
    "tutorial-rgb": (
        (28, 28, 3),
        (100 * 6272 + 6272) + 2 * (5 * 5 * 128 * 128 + 128 + 4 * 128) + (5 * 5 * 128 * 3 + 3),
        (5 * 5 * 3 * 128 + 128 + 4 * 128) + (5 * 5 * 128 * 128 + 128 + 4 * 128) + (7 * 7 * 128 * 1 + 1),
    ),
    "tutorial-dcgan64": (
        (64, 64, 3),
        (100 * 16384 + 16384 + 4 * 16384)
        + (4 * 4 * 1024 * 512 + 512 + 4 * 512)
        + (4 * 4 * 512 * 256 + 256 + 4 * 256)
        + (4 * 4 * 256 * 128 + 128 + 4 * 128)
        + (4 * 4 * 128 * 3 + 3),
        (4 * 4 * 3 * 64 + 64)
        + (4 * 4 * 64 * 128 + 128 + 4 * 128)
        + (4 * 4 * 128 * 256 + 256 + 4 * 256)
        + (4 * 4 * 256 * 512 + 512 + 4 * 512)
        + (4 * 4 * 512 * 1 + 1),
    ),
}
TUTORIALS["tutorial-gaussian"] = TUTORIALS["tutorial-disc"]
PUBLISHED = {
    "tutorial-disc": (157_954, 132_609),
    "tutorial-gaussian": (157_954, 132_609),
    "tutorial-mnist-mlp": (358_928, 332_801),
    "tutorial-mnist-conv": (22_209, 13_633),
    "tutorial-rgb": (1_463_555, 426_753),
    "tutorial-dcgan64": (12_740_995, 2_768_321),
}


@pytest.mark.parametrize("name", PUBLISHED)
def test_parameters_of_the_tutorials_networks(name):
    shape, *by_hand = TUTORIALS[name]
    config = PRESETS[name].config
    models = keras_models.build(config, shape, 0)
    assert tuple(model.count_params() for model in models) == tuple(by_hand) == PUBLISHED[name]
    assert parameter_counts(config, shape) == PUBLISHED[name]


@pytest.mark.parametrize("layers", range(6))
def test_the_number_of_layers(layers):
    generator, discriminator = build(g_layers=layers, d_layers=layers)
    for model in (generator, discriminator):
        assert sum(isinstance(layer, keras.layers.Dense) for layer in model.layers) == layers + 1


def test_without_hidden_layers_the_networks_are_affine():
    generator, discriminator = build(g_layers=0, d_layers=0)
    assert generator.count_params() == 3 * 2 + 2
    assert discriminator.count_params() == 2 + 1
    for model, x in ((generator, BATCH), (discriminator, BATCH[:, :2])):
        kernel, bias = weights(model)
        np.testing.assert_allclose(model(x), x @ kernel + bias, rtol=1e-5, atol=1e-6)


# -- activations --------------------------------------------------------------------------------------------


def test_every_activation_has_its_formula_here():
    assert set(BENDS) == set(ACTIVATIONS)


@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_activations_by_hand(activation):
    generator, discriminator = build(g_activation=activation, d_activation=activation)
    bend = BENDS[activation]
    np.testing.assert_allclose(generator(BATCH), by_hand(generator, BATCH, bend), rtol=1e-4, atol=1e-5)
    points = BATCH[:, :2] * 2
    np.testing.assert_allclose(discriminator(points), by_hand(discriminator, points, bend), rtol=1e-4, atol=1e-5)


def test_each_network_has_its_own_activation():
    generator, discriminator = build(g_activation="tanh", d_activation="swish")
    np.testing.assert_allclose(generator(BATCH), by_hand(generator, BATCH, np.tanh), rtol=1e-4, atol=1e-5)
    points = BATCH[:, :2]
    np.testing.assert_allclose(
        discriminator(points), by_hand(discriminator, points, BENDS["swish"]), rtol=1e-4, atol=1e-5
    )


def test_output_tanh_bounds_the_generator_and_leaves_the_logits_alone():
    generator, discriminator = build(g_output="tanh")
    linear, _ = build(g_output="linear")
    np.testing.assert_allclose(generator(BATCH), np.tanh(linear(BATCH)), rtol=1e-5, atol=1e-6)
    assert np.abs(generator(1e3 * BATCH)).max() <= 1.0
    assert np.abs(discriminator(1e4 * BATCH[:, :2])).max() > 1.0


# -- layers by hand -----------------------------------------------------------------------------------------


def test_a_residual_generator_by_hand():
    """Each block: larger by repetition, then two convolutions; the shortcut's convolution is before it is larger."""
    generator, _ = build_pictures(architecture="resnet", g_activation="relu")
    z = np.random.default_rng(3).normal(size=(2, 5)).astype(np.float32)
    variables = weights(generator)
    layers = list(zip(variables[::2], variables[1::2], strict=True))  # (kernel, bias)
    (kernel, bias), blocks, last = layers[0], (layers[1:4], layers[4:7]), layers[7]

    def conv(x, layer):
        return tf.nn.conv2d(x, layer[0], 1, "SAME") + layer[1]

    def larger(x):
        return tf.repeat(tf.repeat(x, 2, 1), 2, 2)

    x = tf.reshape(z @ kernel + bias, (2, 7, 7, 16))
    for block in blocks:
        (short,) = (layer for layer in block if layer[0].shape[0] == 1)
        one, two = (layer for layer in block if layer[0].shape[0] == 3)
        x = conv(tf.nn.relu(conv(larger(tf.nn.relu(x)), one)), two) + larger(conv(x, short))
    expected = tf.tanh(conv(tf.nn.relu(x), last))
    assert expected.shape == (2, 28, 28, 1)
    np.testing.assert_allclose(generator(z), expected, rtol=1e-4, atol=1e-5)


def test_layer_norm_is_over_all_of_one_sample():
    """And independent of the batch: the same picture alone gives the same logit."""
    _, discriminator = build_pictures(d_norm="layer")
    x = pictures()
    alone = np.concatenate([discriminator(x[i : i + 1]) for i in range(len(x))])
    np.testing.assert_allclose(discriminator(x, training=True), alone, rtol=1e-4, atol=1e-5)
    norm = next(layer for layer in discriminator.layers if isinstance(layer, keras.layers.GroupNormalization))
    values = np.random.default_rng(4).normal(3, 2, (2, 7, 7, 16)).astype(np.float32)
    out = norm(values).numpy()
    mean, std = values.mean((1, 2, 3), keepdims=True), values.std((1, 2, 3), keepdims=True)
    np.testing.assert_allclose(out, (values - mean) / np.sqrt(std**2 + norm.epsilon), rtol=1e-3, atol=1e-4)


def test_batch_norm_is_over_the_batch_and_remembers_a_tenth():
    generator, _ = build_pictures(g_norm="batch")
    (norm, *_) = (layer for layer in generator.layers if isinstance(layer, keras.layers.BatchNormalization))
    assert norm.moving_mean.shape == (16,)  # by map, not by feature
    values = np.random.default_rng(4).normal(3, 2, (5, 7, 7, 16)).astype(np.float32)
    out = norm(values, training=True).numpy()
    mean, variance = values.mean((0, 1, 2)), values.var((0, 1, 2))
    np.testing.assert_allclose(out, (values - mean) / np.sqrt(variance + norm.epsilon), rtol=1e-3, atol=1e-4)
    np.testing.assert_allclose(norm.moving_mean, 0.1 * mean, rtol=1e-3)
    np.testing.assert_allclose(norm.moving_variance, 0.9 + 0.1 * variance, rtol=1e-3)


def test_dropout_acts_while_training_only():
    _, discriminator = build_pictures(dropout=0.5)
    x = pictures()
    assert np.array_equal(discriminator(x), discriminator(x))
    assert not np.allclose(discriminator(x, training=True), discriminator(x, training=True))
    rates = [layer.rate for layer in discriminator.layers if isinstance(layer, keras.layers.Dropout)]
    assert rates == [0.5, 0.5]


@pytest.fixture
def minibatch_std():
    layer = MinibatchStd().keras_layer(iter(()))
    layer.build((None, 4))
    return layer


def test_minibatch_std_adds_the_mean_standard_deviation_over_the_batch(minibatch_std):
    x = np.random.default_rng(8).normal(2.0, [1.0, 2.0, 3.0, 0.1], (6, 4)).astype(np.float32)
    out = minibatch_std(x, training=True).numpy()
    np.testing.assert_array_equal(out[:, :4], x)
    np.testing.assert_allclose(out[:, 4], np.full(6, x.std(0).mean()), rtol=1e-5)


def test_minibatch_std_sees_a_batch_that_has_collapsed(minibatch_std):
    """Every sample alike: next to 0, and the gradient there is finite."""
    x = tf.ones([6, 4])
    with tf.GradientTape() as tape:
        tape.watch(x)
        feature = minibatch_std(x, training=True)[:, 4]
    assert feature.numpy().max() < 1e-3
    assert np.isfinite(tape.gradient(feature, x)).all()


def test_minibatch_std_looks_at_single_samples_as_at_trainings_last_batches(minibatch_std):
    """A running mean of a tenth; whoever is judged beside them has no say."""
    rng, expected = np.random.default_rng(9), 1.0
    for scale in (0.5, 3.0, 2.0):
        x = rng.normal(0, scale, (8, 4)).astype(np.float32)
        minibatch_std(x, training=True)
        expected = 0.9 * expected + 0.1 * x.std(0).mean()
        together = minibatch_std(x).numpy()
        np.testing.assert_allclose(together[:, 4], np.full(8, expected), rtol=1e-5)
        np.testing.assert_array_equal(minibatch_std(x[2:3]).numpy(), together[2:3])
    assert [v.name for v in minibatch_std.non_trainable_variables] == ["typical"]
    assert not minibatch_std.trainable_variables


def test_maxout_of_maps_is_the_largest_of_each_five():
    """At each place by itself; a picture keeps its size and has a fifth of the maps."""
    x = keras.Input((4, 4, 15))
    model = keras.Model(x, Maxout().build(x, iter(range(9))))
    values = np.random.default_rng(10).normal(size=(2, 4, 4, 15)).astype(np.float32)
    out = model(values).numpy()
    assert out.shape == (2, 4, 4, 3)
    for i in range(3):
        np.testing.assert_array_equal(out[..., i], values[..., 5 * i : 5 * i + 5].max(-1))


@pytest.mark.parametrize("norm", NORMS)
def test_maxout_minibatch_std_and_packs_in_networks_for_pictures(norm):
    """Shapes and parameters are those of the plan, with every normalisation."""
    settings = {"g_norm": norm, "d_norm": norm, "g_activation": "maxout", "d_activation": "maxout"}
    settings |= {"minibatch_std": True, "packing": 2}
    for architecture in ("mlp", "dcgan", "dcgan_resize"):
        generator, discriminator = build_pictures(architecture=architecture, **settings)
        config = GANConfig.from_flat({**PICTURES, "architecture": architecture, **settings})
        assert (generator.count_params(), discriminator.count_params()) == parameter_counts(config, (28, 28, 1))
        assert generator(np.ones((2, 5), np.float32)).shape == (2, 28, 28, 1)
        assert discriminator(pictures(2, (28, 28, 2)), training=True).shape == (2, 1)


def test_an_unknown_layer_is_refused():
    with pytest.raises(TypeError, match="no such layer"):
        connected(["conv"], keras.Input((3,)), iter(range(9)))


# -- spectral norm ------------------------------------------------------------------------------------------

SPECTRAL = {
    "dense": (Dense(7, "spectral"), (5,)),
    "conv": (Conv(6, 3, 2, "spectral"), (8, 8, 4)),
    "transposed": (ConvTransposed(6, 4, 2, "spectral"), (4, 4, 3)),
}


@pytest.fixture(params=SPECTRAL)
def spectral(request):
    """(the layer, an input for it)."""
    kind, shape = SPECTRAL[request.param]
    layer = kind.keras_layer(iter((0, 1)))
    x = np.random.default_rng(5).normal(size=(3, *shape)).astype(np.float32)
    layer(x)
    return layer, x


def matrix(layer):
    """The kernel as [everything else, outputs], by NumPy."""
    kernel = layer.layer.kernel.numpy()
    if isinstance(layer.layer, keras.layers.Conv2DTranspose):
        kernel = np.moveaxis(kernel, 2, 3)
    return kernel.reshape(-1, kernel.shape[-1])


def test_after_many_iterations_the_largest_singular_value_is_1(spectral):
    """The layer is linear, so what it divides by is the plain layer's output over its own."""
    layer, x = spectral
    for _ in range(500):
        layer(x, training=True)
    sigma = np.linalg.svd(matrix(layer), compute_uv=False)[0]
    plain = layer.layer(x).numpy()
    np.testing.assert_allclose(layer(x), plain / sigma, rtol=1e-3, atol=1e-4)
    u = layer.u.numpy()[:, 0]
    first = np.linalg.svd(matrix(layer))[2][0]
    assert abs(u @ first) == pytest.approx(1.0, abs=1e-3)
    layer.layer.kernel.assign(5 * layer.layer.kernel)  # the size of the kernel has no say
    np.testing.assert_allclose(layer(x), plain / sigma, rtol=1e-3, atol=1e-4)


def test_one_power_iteration_a_training_call_by_hand(spectral):
    layer, x = spectral
    w, u = matrix(layer).astype(float), layer.u.numpy()[:, 0].astype(float)
    for _ in range(3):
        v = w @ u / np.linalg.norm(w @ u)
        u = w.T @ v / np.linalg.norm(w.T @ v)
        expected = layer.layer(x).numpy() / (v @ w @ u)
        np.testing.assert_allclose(layer(x, training=True), expected, rtol=1e-4, atol=1e-5)
        np.testing.assert_allclose(layer.u.numpy()[:, 0], u, rtol=1e-3, atol=1e-5)


def test_looking_leaves_u_as_it_is(spectral):
    layer, x = spectral
    before = layer.u.numpy()
    layer(x), layer(x, training=False)
    assert np.array_equal(before, layer.u)
    layer(x, training=True)
    assert not np.array_equal(before, layer.u)
    assert [v.name for v in layer.non_trainable_variables] == ["u"]


def test_the_bias_comes_after_the_division(spectral):
    layer, x = spectral
    before = layer(x).numpy()
    bias = np.arange(layer.bias.shape[0], dtype=np.float32)
    layer.bias.assign(bias)
    np.testing.assert_allclose(layer(x), before + bias, rtol=1e-4, atol=1e-5)
    assert layer.layer.bias is None


def test_the_gradient_passes_through_sigma(spectral):
    """Against y = layer(x) / (vᵀ W u) written out with v and u as constants: and by differences."""
    layer, x = spectral
    kernel = layer.layer.kernel
    w, u = matrix(layer), layer.u.numpy()
    v = w @ u / np.linalg.norm(w @ u)
    u = w.T @ v / np.linalg.norm(w.T @ v)
    with tf.GradientTape() as tape:
        loss = tf.reduce_sum(layer(x) ** 2)
    actual = tape.gradient(loss, kernel.value)
    transposed = isinstance(layer.layer, keras.layers.Conv2DTranspose)
    with tf.GradientTape() as tape:
        k = tf.convert_to_tensor(kernel)
        tape.watch(k)
        flat = tf.reshape(tf.transpose(k, [0, 1, 3, 2]) if transposed else k, [-1, len(u)])
        if isinstance(layer.layer, keras.layers.Dense):
            y = tf.matmul(x, k)
        elif transposed:
            y = tf.nn.conv2d_transpose(x, k, (3, 8, 8, 6), 2, "SAME")
        else:
            y = tf.nn.conv2d(x, k, 2, "SAME")
        loss = tf.reduce_sum((y / tf.reduce_sum(v * tf.matmul(flat, u))) ** 2)
    expected = tape.gradient(loss, k)
    np.testing.assert_allclose(actual, expected, rtol=1e-3, atol=1e-4)
    # Scaling the kernel changes nothing, so the gradient is at right angles to it.
    assert abs(np.sum(actual * kernel.numpy())) < 1e-3 * np.linalg.norm(actual) * np.linalg.norm(kernel.numpy())


def test_a_spectral_network_has_a_bounded_slope():
    """Dense layers with leaky ReLU between them: at most 1 in all, once the power iterations have settled."""
    _, discriminator = build(d_norm="spectral", d_layers=3, d_units=16)
    points = np.random.default_rng(6).normal(size=(200, 2)).astype(np.float32)
    for _ in range(300):
        discriminator(points, training=True)
    logits = discriminator(points).numpy()[:, 0]
    rise = np.abs(logits[:, None] - logits)
    run = np.linalg.norm(points[:, None] - points, axis=2)
    assert (rise <= run * (1 + 1e-3) + 1e-6).all() and rise.max() > 0


# -- classes ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ARCHITECTURES)
def test_both_networks_take_a_class(name):
    side = (ARCHITECTURES[name].sides or (28,))[0]
    generator, discriminator = build_pictures((side, side, 1), classes=3, architecture=name)
    plain_g, plain_d = build_pictures((side, side, 1), architecture=name)
    assert generator.input_shape == (None, 5 + 3)  # z, then the class, in one vector
    units, features = plain_g.layers[1].kernel.shape[1], plain_d.layers[-1].kernel.shape[0]
    assert generator.count_params() == plain_g.count_params() + 3 * units
    assert discriminator.count_params() == plain_d.count_params() + 3 * features
    fake = generator(np.ones((2, 8), np.float32))
    assert discriminator([fake, tf.eye(3)[:2]]).shape == (2, 1)


@pytest.mark.parametrize("d_norm", ["none", "spectral", "layer"])
def test_the_projection_by_hand(d_norm):
    """The logit is features . (row of the class) + what an unconditional discriminator says (arXiv 1802.05637)."""
    _, discriminator = build_pictures(classes=3, d_norm=d_norm)
    _, plain = build_pictures(d_norm=d_norm)
    (rows,) = (v for v in discriminator.trainable_variables if v.shape == (3, 7 * 7 * 16))
    others = [v for v in discriminator.trainable_variables if v is not rows]
    for theirs, ours in zip(plain.trainable_variables, others, strict=True):
        theirs.assign(ours)
    of_rows = [v for v in discriminator.non_trainable_variables if v.shape == (7 * 7 * 16, 1)]
    kept = [v for v in discriminator.non_trainable_variables if all(v is not u for u in of_rows)]
    for theirs, ours in zip(plain.non_trainable_variables, kept, strict=True):
        theirs.assign(ours)
    rows = rows.numpy()
    if d_norm == "spectral":  # the classes' rows are a weight matrix like any other
        v = rows @ of_rows[0].numpy()
        v /= np.linalg.norm(v)
        rows = rows / np.linalg.norm(rows.T @ v)
    x = pictures()
    features = keras.Model(plain.input, plain.layers[-1].input)(x).numpy()
    classes = np.array([0, 1, 2, 0, 1, 2])
    logits = discriminator([x, np.eye(3, dtype=np.float32)[classes]]).numpy()[:, 0]
    expected = plain(x).numpy()[:, 0] + (features * rows[classes]).sum(1)
    np.testing.assert_allclose(logits, expected, rtol=1e-4, atol=1e-5)
    same = [discriminator([x[:1], np.eye(3, dtype=np.float32)[c : c + 1]]).numpy().item() for c in range(3)]
    assert len({round(logit, 6) for logit in same}) == 3


def test_the_generator_takes_the_class_behind_z():
    """The first layer's last rows are the classes'."""
    generator, _ = build_pictures(classes=3, g_activation="tanh")
    kernel, bias = weights(generator)[:2]
    z = np.random.default_rng(7).normal(size=(3, 5)).astype(np.float32)
    hidden = keras.Model(generator.input, generator.layers[1].output)
    np.testing.assert_allclose(
        hidden(np.concatenate([z, np.eye(3, dtype=np.float32)], 1)), z @ kernel[:5] + kernel[5:] + bias, atol=1e-5
    )


# -- initial weights ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("name, classes", [*((name, 0) for name in ARCHITECTURES), ("mlp", 3), ("dcgan", 3)])
def test_the_same_seed_gives_the_same_weights_and_another_gives_others(name, classes):
    side = (ARCHITECTURES[name].sides or (28,))[0]
    norm = {"g_norm": "spectral", "d_norm": "spectral", "dropout": 0.2}

    def everything(seed):
        models = build_pictures((side, side, 1), seed, classes, architecture=name, **norm)
        return [v.numpy() for model in models for v in model.variables]

    first = everything(3)
    keras.utils.set_random_seed(99)  # the global seed has no say
    again, other = everything(3), everything(4)
    assert all(np.array_equal(a, b) for a, b in zip(first, again, strict=True))
    for a, b in zip(first, other, strict=True):
        if a.ndim > 1:
            assert not np.array_equal(a, b)


def test_no_two_layers_start_alike():
    """Neither inside a network nor across the two."""
    same = {"latent_dim": 2, "g_layers": 4, "g_units": 2, "d_layers": 4, "d_units": 2}
    kernels = [w for model in build(0, **same) for w in weights(model) if w.shape == (2, 2)]
    assert len(kernels) == 5 + 4
    assert len({w.tobytes() for w in kernels}) == len(kernels)


def test_initial_weights_are_glorot_uniform_and_biases_zero():
    generator, _ = build(g_layers=2, g_units=256)
    kernel, bias = weights(generator)[2:4]
    limit = np.sqrt(6 / (256 + 256))
    assert kernel.shape == (256, 256)
    assert limit * 0.99 < np.abs(kernel).max() <= limit
    assert kernel.std() == pytest.approx(limit / np.sqrt(3), rel=0.02)
    assert not bias.any()


# -- changes of size within a convolution -------------------------------------------------------------------


@pytest.mark.parametrize("side", [2, 7])
@pytest.mark.parametrize("pair", [(Upsample(), Conv(5, 3)), (Conv(5, 3), Pool())], ids=["enlarged", "averaged"])
def test_a_convolution_with_its_change_of_size_is_as_keras_computes_both(pair, side):
    """Values and gradients, borders included."""
    x = np.random.default_rng(0).normal(size=(3, 2 * side, 2 * side, 4)).astype(np.float32)
    start = keras.Input(x.shape[1:])
    ours = keras.Model(start, connected(pair, start, iter(range(9))))
    plain = start
    for layer in pair:
        plain = layer.build(plain, iter(range(9)))
    plain = keras.Model(start, plain)
    bias = np.linspace(-1, 1, 5).astype(np.float32)
    (layer,) = [layer for layer in ours.layers if layer.weights]
    layer.set_weights([layer.get_weights()[0], bias])
    plain.set_weights(ours.get_weights())
    found = []
    for model in (ours, plain):
        at = tf.constant(x)
        with tf.GradientTape() as tape:
            tape.watch(at)
            y = model(at)
            total = tf.reduce_sum(y * tf.cos(y))
        found.append([y, *tape.gradient(total, [at, *model.trainable_variables])])
    for one, other in zip(*found, strict=True):
        assert one.shape == other.shape
        np.testing.assert_allclose(one, other, rtol=1e-4, atol=1e-4 * np.abs(other).max())


# -- the table of layers ------------------------------------------------------------------------------------


@pytest.mark.parametrize("classes", [0, 3])
@pytest.mark.parametrize("d_norm", NORMS)
def test_the_table_has_every_layer_and_every_parameter(d_norm, classes):
    for model in build_pictures(classes=classes, g_norm=d_norm, d_norm=d_norm, dropout=0.1):
        rows = keras_models.layers(model)
        assert sum(row["parameters"] for row in rows) == model.count_params()
        assert {row["network"] for row in rows} == {model.name}
        names = " ".join(row["layer"] for row in rows)
        assert ("spectral norm" in names) == (d_norm == "spectral")
        assert "Conv2D" in names and "kernel 4, stride 2" in names
    assert rows[-1]["output"] == "1"


def test_the_table_names_the_layers_of_our_own():
    _, discriminator = build(d_activation="maxout", minibatch_std=True)
    names = [row["layer"] for row in keras_models.layers(discriminator)]
    assert names == ["Dense", "Reshape", "Maxout", "MinibatchStd", "Dense"]
