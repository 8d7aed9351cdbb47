"""Scores of images by InceptionV3, trained on ImageNet (inception.py): `evaluate --inception` takes them."""

from gan_core.scores.score import IMAGENET, Score

IMAGENET_SCORES: dict[str, Score] = {
    "inception_score": Score(
        "Inception Score (IS)",
        "number",
        "high",
        IMAGENET,
        "InceptionV3, trained on ImageNet, names what it sees in each image. The score is high if it is sure of each "
        "image and names many different classes: from 1 to 1,000. It never looks at your real images.",
        "What the same number of real images get (11.2 for CIFAR-10), and here high is good. It cannot exceed the "
        "number of images in each of its ten parts.",
        "One image of each class, repeated. Adversarial noise. And all data whose classes are not those of ImageNet: "
        "for digits it says almost nothing.",
        "arXiv 1606.03498; critique in 1801.01973",
    ),
    "fid": Score(
        "Fréchet Inception Distance (FID)",
        "number",
        "low",
        IMAGENET,
        "The Fréchet distance between 2,048 features of InceptionV3, of real and of generated images. Low is good. "
        "The number that papers print.",
        "Two sets of real images against each other. With 2,048 dimensions it is large: a few hundred images give "
        "tens of points of FID by random variation, so 50,000 are usual. Never compare values at different sizes.",
        "The Gaussian assumption, as for every Fréchet distance; features that were learned to tell breeds of dogs "
        "apart; a different way to resize the images, which alone changes it; copies of the training data.",
        "arXiv 1706.08500; bias in 1911.07023",
    ),
}
