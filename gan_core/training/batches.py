"""What a step makes of a batch: z, packs of samples, and how often the discriminator is right."""

from gan_core.foundations.lazy_imports import tf
from gan_core.objectives.losses import LOSSES
from gan_core.settings.config import GANConfig


def draw_z(config: GANConfig, n: int, key, alg: str):
    """float32 [n, latent_dim] from the config's z_dist."""
    shape = [n, config.latent_dim]
    if config.z_dist == "uniform":
        return tf.random.stateless_uniform(shape, key, -1.0, 1.0, alg=alg)
    return tf.random.stateless_normal(shape, key, alg=alg)


def pack(x, m: int):
    """m samples side by side, as PacGAN's discriminator sees them (arXiv 1712.04086): points [n, 2] -> [n/m, 2m],
    pictures [n, H, W, C] -> [n/m, H, W, m C]."""
    if m == 1:
        return x
    shape = x.shape[1:]
    if len(shape) == 1:
        return tf.reshape(x, [-1, m * shape[0]])
    height, width, channels = shape
    packs = tf.transpose(tf.reshape(x, [-1, m, height, width, channels]), [0, 2, 3, 1, 4])
    return tf.reshape(packs, [-1, height, width, m * channels])


def accuracies(loss: str, real_logits, fake_logits):
    """Fractions of real and of fake samples that the discriminator gets right.

    Where only differences of logits mean anything (relativistic), both are the fraction of pairs in order.
    """
    row = LOSSES[loss]
    if row.p_real == "centered":
        right = tf.reduce_mean(tf.cast(real_logits > fake_logits, tf.float32))
        return right, right
    real = tf.reduce_mean(tf.cast(real_logits > row.threshold, tf.float32))
    fake = tf.reduce_mean(tf.cast(fake_logits <= row.threshold, tf.float32))
    return real, fake
