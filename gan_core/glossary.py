"""The words of GANscope: what each means, and the words that gave way to one of them. The guide shows `TERMS`."""

# term -> what it means, in Markdown; in the order in which a beginner meets them
TERMS: dict[str, str] = {
    "Generator (G)": "The network that makes samples. It turns a random input *z* into a point or an image. "
    "Generated samples are orange. Papers also call them *fake*.",
    "Discriminator (D)": "The network that tells real samples from generated ones. With a Wasserstein loss papers call "
    "it the *critic*.",
    "z, the latent vector": "The random numbers that the generator starts from. *Interpolating z* means moving from "
    "one such vector to another.",
    "Logit": "The output of the discriminator before the sigmoid. Above 0 means *real*, below 0 *generated*.",
    "p(real)": "The discriminator's output as a probability, *D(x)* in papers. With relativistic and Wasserstein "
    "losses only differences count, so p(real) is drawn around the midpoint between real and generated.",
    "Step": "One update of the generator. A *round* has `d_steps` updates of the discriminator and `g_steps` of the "
    "generator. A network whose count is 0 is frozen; where that is the generator, a step is a round.",
    "Learning rate": "How far an update moves the weights. It is the first thing to try: too high, and training jumps "
    "about; too low, and nothing happens. It is a *hyperparameter*, as every setting that is not learned.",
    "Mode": "One cluster of the real data, for example one of the eight points of the ring, or one digit.",
    "Mode collapse": "The generator makes only some of the modes, or only one. The best known failure of GANs.",
    "Memorizing (overfitting)": "The discriminator has learned single real samples by their details, or the generator "
    "repeats them. Then nothing new is made.",
    "Gradient penalty": "An extra loss that keeps the discriminator's gradient small or near 1 (then D is close to "
    "*Lipschitz*), so that the generator always gets a direction.",
    "Averaged generator (EMA)": "The exponential moving average of the generator's weights. It is steadier than the "
    "current generator, and is what you see if a preset does not say otherwise.",
    "Equilibrium": "The losses where the generator is perfect and the discriminator can only guess: with cross-entropy "
    "ln 2 for G and 2 ln 2 for D.",
    "Real data (beside a score)": "What fresh real samples score against other real samples of the same number. No "
    "generator can be expected to do better: compare every score with it.",
}

# what users see no more -> what stands there instead
RETIRED: dict[str, str] = {
    "knob": "setting",
    "by heart": "memorize (overfit)",
    "take away": "export",
    "taken away": "exported",
    "take up": "continue",
    "taken up": "continued",
    "fork": "branch",
    "racer": "run",
    "training place": "server slot",
    "raw generator": "current generator",
    "second generator": "averaged generator (EMA)",
    "whoever": "who",
    "under way": "during training",
    "latent panel": "Interpolate z",
    "class TV": "class balance (TV)",
    "D right": "D accuracy",
    "learnt": "learned",
    "normalisation": "normalization",
    "minimises": "minimizes",
    "strewn": "spread",
    "Take a copy": "Copy this run",
    "finite number": "a number that is not NaN or infinite",
    "is no ": "is not a",
    "holds no ": "has no",
}
