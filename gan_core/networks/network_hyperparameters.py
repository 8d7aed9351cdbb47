"""What shapes a network: the hyperparameters that rows of ARCHITECTURES carry, and the activations and norms to choose.

Both networks have most of them, each under its own letter: `g_units`, `d_units`.
"""

from dataclasses import replace

from gan_core.foundations.hyperparameters import Described, Hyperparameter

ACTIVATIONS: dict[str, str] = {
    "relu": "max(0, x)",
    "leaky_relu": "x, or 0.2 x below 0",
    "tanh": "between -1 and 1, smooth",
    "elu": "smooth below 0",
    "swish": "x sigmoid(x), smooth",
    "maxout": "the largest of 5 linear pieces, so five times the weights (arXiv 1302.4389)",
}
NORMS: dict[str, str] = {
    "none": "no normalization; right with gradient penalties and relativistic losses",
    "batch": "over the batch (arXiv 1502.03167): a fast start on images, but mixes the samples of a batch",
    "layer": "over each sample's features (arXiv 1607.06450): independent of the batch",
    "spectral": "divides each weight matrix by its largest singular value (arXiv 1802.05957): limits the gradient",
}
NETWORKS = {"g": "Generator", "d": "Discriminator"}

Own = dict[str, Hyperparameter]


def _choice(default: str, registry: dict[str, str], label: str, group: str, text: str) -> Hyperparameter:
    return Hyperparameter(str, default, label, text, group, choices=Described(registry))


def layers(side: str) -> Hyperparameter:
    """How many hidden layers network `side`, "g" or "d", has."""
    return Hyperparameter(
        int,
        3,
        "Hidden layers",
        "How deep the network is. 0: a linear map, which can only shift and stretch. More layers learn finer shapes, "
        "but train more slowly and less steadily. Usual: 2 to 4.",
        NETWORKS[side],
        low=0,
        high=5,
        quiet=True,
    )


def units(side: str) -> Hyperparameter:
    """How wide a network's hidden layers are."""
    return Hyperparameter(
        int,
        128,
        "Units per layer",
        "How wide each hidden layer is. Too few cannot form the shape of the data; more take longer at every step. "
        "Usual: 32 to 256.",
        NETWORKS[side],
        low=1,
        high=512,
        log=True,
        quiet=True,
    )


def activation(side: str) -> Hyperparameter:
    """What bends between a network's layers."""
    return _choice(
        "relu" if side == "g" else "leaky_relu",
        ACTIVATIONS,
        "Activation",
        NETWORKS[side],
        "The function after each hidden layer. relu makes straight pieces; tanh, elu and swish make smooth curves; "
        "leaky_relu never has a zero gradient, which helps the generator.",
    )


def norm(side: str) -> Hyperparameter:
    """What keeps a network's features in bounds."""
    return _choice(
        "none",
        NORMS,
        "Normalization",
        NETWORKS[side],
        "Keeps activations or weights in a useful range. batch: fast start on images, but mixes the samples of a "
        "batch; not with a gradient penalty. spectral: limits the discriminator's gradient.",
    )


G_OUTPUT = _choice(
    "linear",
    {"linear": "no bound", "tanh": "between -1 and 1 in training units"},
    "Output",
    "Generator",
    "linear can reach any point. tanh cannot leave the square of the data, and learns slowly at its edge.",
)
FILTERS = Hyperparameter(
    int,
    16,
    "Base filters",
    "Feature maps at the finest resolution; each coarser stage has twice as many. Low: fast, crude strokes. Twice as "
    "many need up to four times as long.",
    "Networks",
    low=8,
    high=128,
    stops=(8, 12, 16, 24, 32, 48, 64, 96, 128),
    quiet=True,
)
DROPOUT = Hyperparameter(
    float,
    0.0,
    "Dropout",
    "Share of the discriminator's features that each training pass leaves out. Some keeps it from memorizing the data "
    "(overfitting). Too high: it sees too little.",
    "Discriminator",
    low=0.0,
    high=0.8,
)


def _with_layers(side: str, knob: Hyperparameter) -> Hyperparameter:
    """`knob` of dense networks, of which nothing is left where there is no hidden layer."""
    name = f"{side}_layers"
    return replace(
        knob,
        needs=f"{name} above 0",
        idle=lambda c: f"{name}=0 leaves no hidden layer" if getattr(c, name) == 0 else "",
    )


def dense() -> Own:
    """What shapes dense networks."""
    return {
        "g_layers": layers("g"),
        "g_units": _with_layers("g", units("g")),
        "g_activation": _with_layers("g", activation("g")),
        "g_output": G_OUTPUT,
        "g_norm": _with_layers("g", norm("g")),
        "d_layers": layers("d"),
        "d_units": _with_layers("d", units("d")),
        "d_activation": _with_layers("d", activation("d")),
        "d_norm": norm("d"),  # spectral norm acts on the output layer too
        "dropout": _with_layers("d", DROPOUT),
    }


def convolutional(normalised: bool = True) -> Own:
    """What shapes convolutional networks; normalised: whether they take norms."""
    norms = {"g_norm": norm("g"), "d_norm": norm("d")} if normalised else {}
    return {
        "filters": FILTERS,
        "g_activation": activation("g"),
        "d_activation": activation("d"),
        "dropout": DROPOUT,
        **norms,
    }
