"""Add labelled test digits to the values of the instances that show digits in any code.

``test_values`` and ``test_labels``: 120 digits of the test split that train_digits.py and
build_graphs.py use (scikit-learn's digits, UCI, Alpaydin and Kaynak 1998, CC BY 4.0).
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split

SEED, SHOWN = 20260, 120
HERE = Path(__file__).parent.parent


def main() -> None:
    """Write each file again, its ``values`` as they are."""
    digits = load_digits()
    _, images, _, labels = train_test_split(
        digits.images / 16, digits.target, test_size=0.2, random_state=SEED, stratify=digits.target
    )
    pictures = images[:SHOWN].astype(np.float32)
    shapes = {
        "digits_mlp": pictures.reshape(SHOWN, 64),
        "decomposed_mlp": pictures.reshape(SHOWN, 64),
        "digits_recurrent": pictures.transpose(1, 0, 2),
    }
    for name, shown in shapes.items():
        file = HERE / f"{name}_values.npz"
        with np.load(file) as data:
            values = data["values"]
        np.savez_compressed(
            file, values=values, test_values=shown, test_labels=labels[:SHOWN].astype(np.int16)
        )


if __name__ == "__main__":
    main()
