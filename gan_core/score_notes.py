"""What each score says, what its floor is, and what fools it, in words: `NOTES`, for the page Scores."""

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
    "Pictures, through a small classifier",
    "Neighbours",
    "Through ImageNet: what papers print",
)
_MODES, _CLOUDS, _CLASSIFIER, _NEIGHBOURS, _IMAGENET = GROUPS

NOTES: dict[str, Note] = {
    "modes": Note(
        "Modes captured",
        _MODES,
        "How many modes got at least one of the samples within 3 standard deviations of their centre. More is better.",
        "All of them, in every draw: with 2,500 samples a mode among 25 gets a hundred.",
        "One lucky sample counts as much as a hundred. A generator may send half of its samples nowhere and one in "
        "three hundred to each forgotten mode, and all count as captured. Shares and shapes do not enter.",
        "PacGAN, arXiv 1712.04086",
    ),
    "hq": Note(
        "High quality (HQ)",
        _MODES,
        "The share of samples within 3 standard deviations of a mode. More is better, up to a point.",
        "98.9 %, not 100: of a perfect Gaussian mode 1 − exp(−4.5) lies that near. By chance ±0.5 % with 500 samples, "
        "±0.2 % with 2,500.",
        "Whoever draws one perfect point all day gets 100 %. More than the floor means modes that are too narrow.",
        "PacGAN, arXiv 1712.04086",
    ),
    "reverse_kl": Note(
        "Reverse KL",
        _MODES,
        "How unevenly the high-quality samples are spread over the modes, in nats. 0 is even; ln(number of modes), "
        "2.08 for eight, is one mode alone.",
        "About (modes − 1) / (2 · samples), for chance never deals evenly: 0.0014 for 8 modes and 0.0048 for 25 with "
        "2,500 samples, five times that with 500.",
        "It looks at nothing but high-quality samples: if 99 % are garbage and the rest is spread evenly, it is "
        "content. Nor does it see shapes inside a mode. Without a single good sample it has no value.",
        "PacGAN, arXiv 1712.04086",
    ),
    "w1": Note(
        "Wasserstein-1",
        _CLOUDS,
        "How far the generated points must travel on average to become the real ones, in the units of the data. The "
        "easiest to explain, and exact here. 0 only for equal clouds.",
        "Large, and it falls slowly: two draws of real points differ in how many fall on each mode, and the surplus "
        "has to travel. At 2,500 points 0.04 for the playground's ring and 0.17 for its grid.",
        "Faults smaller than its floor: narrow or slightly blurred modes drown in the luck of the draw. And copies of "
        "the training data.",
        "arXiv 1701.07875, for GANs",
    ),
    "energy": Note(
        "Energy distance",
        _CLOUDS,
        "Twice the mean distance between a real and a generated point, less the mean distances within each cloud. 0 "
        "only for equal distributions, and quick at any size.",
        "Above 0, since each cloud is finite: it falls like one over the sample size.",
        "Fine structure: it is made of mean distances, and these are mostly those between far points. It needs more "
        "points than the other two above to tell a disc from a Gaussian.",
        "Székely and Rizzo, 2013",
    ),
    "mmd": Note(
        "MMD",
        _CLOUDS,
        "Maximum mean discrepancy: how unlike the two clouds' neighbourhoods are, seen through blurred glasses, the "
        "kernel. Here five kernels of widths fixed by the real data. From 0 to √2.",
        "Above 0, since each cloud is finite: it falls like one over the root of the sample size.",
        "The wrong width: a kernel wider than the fault smears it away, one narrower than the gaps between points sees "
        "only noise. A value means nothing without its kernels.",
        "Gretton et al., JMLR 2012",
    ),
    "frechet": Note(
        "Fréchet distance",
        _CLOUDS,
        "The distance between two Gaussians, one fitted to each cloud: it knows both means and both covariances, and "
        "nothing else. The square of a length. Cheap in any number of dimensions, which is why FID uses it.",
        "Above 0, since means and covariances of few points are off by chance; it falls like one over the sample size, "
        "and grows with the number of dimensions.",
        "Everything that keeps mean and covariance: a disc for a Gaussian, every other mode gone, modes too wide or "
        "too narrow. In two dimensions trust the other three.",
        "arXiv 1706.08500",
    ),
    "classifier_fid": Note(
        "classifier-FID",
        _CLASSIFIER,
        "The Fréchet distance between features of real and of generated pictures. The features are those that a "
        "small classifier, trained here on the real ones, uses to tell the classes apart.",
        "The same between two draws of real pictures. It is biased upwards, the more the fewer pictures, so it is "
        "worth something only beside the floor of its own sample size.",
        "What the classifier does not look at does not exist: background, texture, the odd pixel. Nor do faults that "
        "keep mean and covariance. Not comparable with any published FID, nor between data sets.",
        "after arXiv 1706.08500",
    ),
    "confidence": Note(
        "Classifier confidence",
        _CLASSIFIER,
        "The mean probability of each picture's likeliest class. High where pictures show clearly one of the classes.",
        "What real pictures that it was not trained on get: 0.99 for MNIST.",
        "A classifier is sure of many things that are no digits at all, since it must choose one. One perfect picture, "
        "repeated, gets the best of values.",
        "arXiv 1412.1897: sure of noise",
    ),
    "class_tv": Note(
        "Class TV",
        _CLASSIFIER,
        "Total variation between the shares of the classes, generated and real: which part of the samples would have "
        "to change class. 0 is even, 1 is disjoint.",
        "Not 0: chance deals the classes unevenly, and the classifier errs. Some 0.02 for ten classes at 2,500 "
        "pictures.",
        "One picture of each class, repeated, is perfect. So is noise that the classifier happens to read evenly.",
        "after NDB, arXiv 1805.12462",
    ),
    "precision": Note(
        "Precision",
        _NEIGHBOURS,
        "The share of generated samples that lie among the real ones: inside a ball that reaches from some real sample "
        "to its third nearest real neighbour. Fidelity, whatever the variety.",
        "Below 100 %: real ones on the edge lie outside of others' balls too. Some 95 % in the experiments above.",
        "One perfect point. And a single real outlier, whose ball is huge, takes in whatever comes near.",
        "arXiv 1904.06991",
    ),
    "recall": Note(
        "Recall",
        _NEIGHBOURS,
        "The same with the parts exchanged: the share of real samples that lie among the generated ones. Variety, "
        "whatever the fidelity.",
        "Below 100 %, as for precision.",
        "Blur: samples strewn widely have large balls, which hold everything real. So far apart they may even have a "
        "higher recall than real ones.",
        "arXiv 1904.06991",
    ),
    "density": Note(
        "Density",
        _NEIGHBOURS,
        "Precision that counts: in how many real balls a sample lies, against what is to be expected. An outlier's "
        "ball is one among many, so that it no longer decides.",
        "1 on average. It may exceed 1.",
        "One perfect point in a crowded place, again: more than 1 is no praise but a hint at samples that are too much "
        "alike.",
        "arXiv 2002.09797",
    ),
    "coverage": Note(
        "Coverage",
        _NEIGHBOURS,
        "The share of real samples with a generated one in their ball. Recall that does not let generated outliers "
        "count, because the balls are those of the real ones.",
        "About 97 % for five neighbours and equal sizes. It falls when fewer are generated than there are real ones: "
        "another reason to name both sizes.",
        "Copies of the training data. One sample in a ball is enough, so shares must be far off before it sees them.",
        "arXiv 2002.09797",
    ),
    "nearest_real": Note(
        "Nearest real neighbour",
        _NEIGHBOURS,
        "How far a sample is from the nearest one of the training data, on average. The only score here that asks "
        "whether anything is new. Both ends are bad: much below the floor is learnt by heart, far above is off.",
        "What fresh real samples have, that were not trained on.",
        "Copies that are shifted, turned or a little noisy. And a generator of half copies and half nonsense can have "
        "the mean of real data: look at the nearest neighbours themselves, on the images page by a click.",
        "arXiv 1511.01844, section 3.2",
    ),
    "inception_score": Note(
        "Inception Score (IS)",
        _IMAGENET,
        "InceptionV3, trained on ImageNet, names what it sees in each picture. The score is high if it is sure of each "
        "picture and names many different classes: from 1 to 1,000. It never looks at your real pictures.",
        "A ceiling rather than a floor: what as many real pictures get (11.2 for CIFAR-10). It cannot exceed the "
        "number of pictures in each of its ten parts.",
        "One picture of each class, for ever. Adversarial noise. And any data whose classes are not those of ImageNet: "
        "of digits it measures hardly anything.",
        "arXiv 1606.03498; critique in 1801.01973",
    ),
    "fid": Note(
        "Fréchet Inception Distance (FID)",
        _IMAGENET,
        "The Fréchet distance between 2,048 features of InceptionV3, of real and of generated pictures. Low is good. "
        "The figure that papers print.",
        "Two sets of real pictures against each other. With 2,048 dimensions it is large: a few hundred pictures give "
        "tens of points of FID by chance, so 50,000 are customary. Values at different sizes do not compare.",
        "The Gaussian assumption, as for every Fréchet distance; the features, which were learnt to tell breeds of "
        "dogs; another resize of the pictures, which alone shifts it; copies of the training data.",
        "arXiv 1706.08500; bias in 1911.07023",
    ),
}
