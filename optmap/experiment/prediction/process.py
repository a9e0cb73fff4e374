"""A Gaussian process with a squared-exponential kernel, and its errors on rows left out.

With K the kernel of the rows plus noise, the mean at x is k(x)' K^-1 y, and the error of a row that
is left out is (K^-1 y)_i / (K^-1)_ii: no second fit is needed [1]_.

References
----------
.. [1] Rasmussen, Williams, "Gaussian Processes for Machine Learning", MIT Press, 2006, section 5.4.
"""

from __future__ import annotations

import numpy as np

from optmap.model.snn import FloatArray

#: Length of the kernel in standard deviations of an input; noise as a part of all variance.
LENGTH, NOISE = 6.0, 0.07


class GaussianProcess:
    """The mean of the process; inputs and values are scaled to mean 0 and variance 1.

    Parameters
    ----------
    inputs : (n, d) float array
        One row each.
    values : (n,) float array
        What they have.

    Attributes
    ----------
    left_out : float
        Mean squared error of rows, each predicted by all others.
    """

    def __init__(self, inputs: FloatArray, values: FloatArray) -> None:
        self._middle, self._spread = inputs.mean(axis=0), inputs.std(axis=0) + 1e-9
        self._mean, self._scale = float(values.mean()), float(values.std()) or 1.0
        self._rows = (inputs - self._middle) / self._spread
        kernel = _kernel(self._rows, self._rows) + NOISE * np.eye(len(values))
        inverse = np.linalg.inv(kernel)
        self._weights = inverse @ ((values - self._mean) / self._scale)
        errors = self._scale * self._weights / np.diag(inverse)
        self.left_out = float((errors**2).mean())

    def predict(self, row: FloatArray) -> float:
        """Return the mean at one row of inputs, shape (d,)."""
        near = _kernel(((row - self._middle) / self._spread)[None, :], self._rows)
        return self._mean + self._scale * float((near @ self._weights)[0])


def _kernel(a: FloatArray, b: FloatArray) -> FloatArray:
    squares = (a**2).sum(axis=1)[:, None] + (b**2).sum(axis=1) - 2 * a @ b.T
    found: FloatArray = np.exp(-np.maximum(squares, 0.0) / (2 * LENGTH**2))
    return found
