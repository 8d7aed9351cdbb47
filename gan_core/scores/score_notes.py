"""What each score says, what real data get, and what fools it, in words: `NOTES`, for the page Score lab."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Note:
    """A row of NOTES, in Markdown. what: what it measures, which end is good; floor: what perfect data get."""

    title: str
    group: str
    what: str
    floor: str
    fooled: str
    source: str


GROUPS = (
    "Data with modes",
    "Distances between two clouds",
    "Images, through a small classifier",
    "Neighbours",
    "Through ImageNet: what papers print",
)
_MODES, _CLOUDS, _CLASSIFIER, _NEIGHBOURS, _IMAGENET = GROUPS

NOTES: dict[str, Note] = {
    "modes": Note(
        "Modes captured",
        _MODES,
        "How many modes got at least one of the samples within 3 standard deviations of their centre. More is better.",
        "All of them, always: of 2,500 samples each of 25 modes gets about a hundred.",
        "One lucky sample counts as much as a hundred. A generator can send half of its samples nowhere and one in "
        "three "
        "hundred to each neglected mode, and all modes count as captured. Shares and shapes do not count.",
        "PacGAN, arXiv 1712.04086",
    ),
    "hq": Note(
        "High quality",
        _MODES,
        "The share of samples within 3 standard deviations of a mode. More is better, up to a point.",
        "98.9 %, not 100: of a perfect Gaussian mode 1 − exp(−4.5) lies that near. Random variation: ±0.5 % with 500 "
        "samples, "
        "±0.2 % with 2,500.",
        "A generator that repeats one perfect point gets 100 %. More than real data get means modes that are too "
        "narrow.",
        "PacGAN, arXiv 1712.04086",
    ),
    "reverse_kl": Note(
        "Reverse KL",
        _MODES,
        "How unevenly the high-quality samples are spread over the modes, in nats. 0 is even; "
        "ln(number of modes), 2.08 for eight, is one mode alone.",
        "About (modes − 1) / (2 · samples), because random counts are never exactly equal: 0.0014 for 8 modes and "
        "0.0048 "
        "for 25 with 2,500 samples, five times that with 500.",
        "It looks only at high-quality samples: if 99 % are garbage and the rest is spread evenly, it is perfect. It "
        "does "
        "not see shapes inside a mode. Without a single high-quality sample it has no value.",
        "PacGAN, arXiv 1712.04086",
    ),
    "w1": Note(
        "Wasserstein-1",
        _CLOUDS,
        "How far the generated points must travel on average to become the real ones, in the units of the data. The "
        "easiest to explain, and exact here. 0 only for equal clouds.",
        "Large, and it falls slowly with more samples: two sets of real points differ in how many fall on each mode, "
        "and "
        "the surplus has to travel. At 2,500 points 0.04 for the playground's ring and 0.17 for its grid.",
        "Faults smaller than the value of real data: narrow or slightly blurred modes are lost in the random "
        "variation. "
        "And copies of the training data.",
        "arXiv 1701.07875, for GANs",
    ),
    "energy": Note(
        "Energy distance",
        _CLOUDS,
        "Twice the mean distance between a real and a generated point, minus the mean distances within each cloud. 0 "
        "only for equal distributions, and fast at any size.",
        "Above 0, because each cloud is finite: it falls like one over the sample size.",
        "Fine structure: most of its distances are between points that are far apart. It needs more points than the "
        "other "
        "two to tell a disc from a Gaussian.",
        "Székely and Rizzo, 2013",
    ),
    "mmd": Note(
        "MMD",
        _CLOUDS,
        "Maximum mean discrepancy: how different the two clouds are after both are blurred by a kernel. Here five "
        "kernels of widths fixed by the real data. From 0 to √2.",
        "Above 0, because each cloud is finite: it falls like one over the square root of the sample size.",
        "The wrong width: a kernel wider than the fault blurs it away, one narrower than the gaps between points sees "
        "only noise. Compare values only with the same kernels.",
        "Gretton et al., JMLR 2012",
    ),
    "frechet": Note(
        "Fréchet distance",
        _CLOUDS,
        "The distance between two Gaussians, one fitted to each cloud: it knows both means and both covariances, and "
        "nothing else. The square of a length. Fast in any number of dimensions, which is why FID uses it.",
        "Above 0, because means and covariances of few points vary; it falls like one over the sample size, "
        "and grows with the number of dimensions.",
        "Everything that keeps mean and covariance: a disc for a Gaussian, every second mode missing, modes too wide "
        "or "
        "too narrow. In two dimensions trust the other three.",
        "arXiv 1706.08500",
    ),
    "classifier_fid": Note(
        "classifier-FID",
        _CLASSIFIER,
        "The Fréchet distance between features of real and of generated images. The features come from a small "
        "classifier, trained here on the real images to tell the classes apart.",
        "The same between two sets of real images. With fewer images it is higher, so compare it only with the value "
        "of "
        "real data at the same sample size.",
        "What the classifier does not look at: background, texture, single pixels. And faults that keep mean and "
        "covariance. Not comparable with any published FID, nor between data sets.",
        "after arXiv 1706.08500",
    ),
    "confidence": Note(
        "Classifier confidence",
        _CLASSIFIER,
        "The mean probability of each image's most likely class. High where images clearly show one of the classes.",
        "What real images that it was not trained on get: 0.99 for MNIST.",
        "A classifier is sure of many images that are not digits at all, because it must choose a class. One perfect "
        "image, repeated, gets the best value.",
        "arXiv 1412.1897: sure of noise",
    ),
    "class_tv": Note(
        "Class balance (TV)",
        _CLASSIFIER,
        "Total variation (TV) between the shares of the classes, generated and real: the part of the samples that "
        "would "
        "have to change class. 0: equal shares. 1: no class in common.",
        "Not 0: random counts are never equal, and the classifier makes mistakes. About 0.02 for ten classes at 2,500 "
        "images.",
        "One image of each class, repeated, is perfect. So is noise that the classifier happens to spread over all "
        "classes.",
        "after NDB, arXiv 1805.12462",
    ),
    "precision": Note(
        "Precision",
        _NEIGHBOURS,
        "The share of generated samples that lie among the real ones: inside a ball that reaches from some real sample "
        "to its third nearest real neighbour. It measures quality, not variety.",
        "Below 100 %: some real samples lie outside the others' balls too. About 95 % in the experiments above.",
        "One perfect point, repeated. And a single real outlier, whose large ball contains everything near it.",
        "arXiv 1904.06991",
    ),
    "recall": Note(
        "Recall",
        _NEIGHBOURS,
        "The same with real and generated exchanged: the share of real samples that lie among the generated ones. It "
        "measures variety, not quality.",
        "Below 100 %, as for precision.",
        "Blur: widely spread samples have large balls, which contain all real samples. Their recall can even be higher "
        "than that of real data.",
        "arXiv 1904.06991",
    ),
    "density": Note(
        "Density",
        _NEIGHBOURS,
        "Precision that counts: in how many real balls a sample lies, divided by what is expected. An outlier's ball "
        "is "
        "one of many, so it no longer decides.",
        "1 on average. It can exceed 1.",
        "One perfect point in a crowded place, repeated: more than 1 is not better, but a hint that samples are too "
        "similar.",
        "arXiv 2002.09797",
    ),
    "coverage": Note(
        "Coverage",
        _NEIGHBOURS,
        "The share of real samples with a generated one in their ball. Like recall, but generated outliers do not "
        "count, "
        "because the balls belong to the real samples.",
        "About 97 % for five neighbours and equal sizes. It falls when fewer are generated than there are real ones: "
        "another reason to state both sizes.",
        "Copies of the training data. One sample in a ball is enough, so it sees only large errors in the shares.",
        "arXiv 2002.09797",
    ),
    "nearest_real": Note(
        "Distance to nearest real",
        _NEIGHBOURS,
        "The mean distance from a sample to the nearest training sample. The only score here that asks whether "
        "anything "
        "is new. Both ends are bad: far below real data is memorized, far above is wrong.",
        "The value of fresh real samples that were not used in training.",
        "Copies that are shifted, turned or slightly noisy. And a generator of half copies and half nonsense can have "
        "the "
        "mean of real data: look at the nearest neighbours themselves, with a click on the page Images.",
        "arXiv 1511.01844, section 3.2",
    ),
    "inception_score": Note(
        "Inception Score (IS)",
        _IMAGENET,
        "InceptionV3, trained on ImageNet, names what it sees in each image. The score is high if it is sure of each "
        "image and names many different classes: from 1 to 1,000. It never looks at your real images.",
        "What the same number of real images get (11.2 for CIFAR-10), and here high is good. It cannot exceed the "
        "number "
        "of images in each of its ten parts.",
        "One image of each class, repeated. Adversarial noise. And all data whose classes are not those of ImageNet: "
        "for "
        "digits it says almost nothing.",
        "arXiv 1606.03498; critique in 1801.01973",
    ),
    "fid": Note(
        "Fréchet Inception Distance (FID)",
        _IMAGENET,
        "The Fréchet distance between 2,048 features of InceptionV3, of real and of generated images. Low is good. "
        "The number that papers print.",
        "Two sets of real images against each other. With 2,048 dimensions it is large: a few hundred images give tens "
        "of points of FID by random variation, so 50,000 are usual. Never compare values at different sizes.",
        "The Gaussian assumption, as for every Fréchet distance; features that were learned to tell breeds of dogs "
        "apart; "
        "a different way to resize the images, which alone changes it; copies of the training data.",
        "arXiv 1706.08500; bias in 1911.07023",
    ),
}
