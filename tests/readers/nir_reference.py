"""NIR layers as functions, written out as loops: the reference for the reader."""

import nir
import numpy as np

RNG = np.random.default_rng(11)


def weights(*shape):
    """Return weights none of which is zero."""
    return RNG.uniform(0.5, 1.5, shape) * RNG.choice([-1, 1], shape)


def conv2d(weight, shape, stride=1, padding=0, dilation=1, groups=1):
    return nir.Conv2d(shape, weight, stride, padding, dilation, groups, np.zeros(len(weight)))


def apply_conv(node, x):
    """Return the textbook convolution of x (C, H, W)."""
    pads, strides, dilations = (
        np.broadcast_to(value, 2).tolist() if not isinstance(value, str) else value
        for value in (node.padding, node.stride, node.dilation)
    )
    w = node.weight
    if pads == "same":
        spans = [d * (k - 1) for d, k in zip(dilations, w.shape[2:], strict=True)]
        pads = [(span // 2, span - span // 2) for span in spans]
    elif pads == "valid":
        pads = [(0, 0), (0, 0)]
    else:
        pads = [(p, p) for p in pads]
    x = np.pad(x, [(0, 0), *pads])
    (kh, kw), (dh, dw), (sh, sw) = w.shape[2:], dilations, strides
    rows = (x.shape[1] - dh * (kh - 1) - 1) // sh + 1
    columns = (x.shape[2] - dw * (kw - 1) - 1) // sw + 1
    out = np.zeros((len(w), rows, columns))
    each, made = w.shape[1], len(w) // node.groups
    for c in range(len(w)):
        seen = x[c // made * each : c // made * each + each]
        for i in range(rows):
            for j in range(columns):
                window = seen[
                    :,
                    i * sh : i * sh + dh * (kh - 1) + 1 : dh,
                    j * sw : j * sw + dw * (kw - 1) + 1 : dw,
                ]
                out[c, i, j] = (window * w[c]).sum()
    return out


def apply_pool(node, x):
    """Return sum or average pooling of x (C, H, W), padding counted in."""
    (kh, kw), (sh, sw), (ph, pw) = (
        np.broadcast_to(v, 2).tolist() for v in (node.kernel_size, node.stride, node.padding)
    )
    x = np.pad(x, [(0, 0), (ph, ph), (pw, pw)])
    rows, columns = (x.shape[1] - kh) // sh + 1, (x.shape[2] - kw) // sw + 1
    out = np.zeros((len(x), rows, columns))
    for i in range(rows):
        for j in range(columns):
            out[:, i, j] = x[:, i * sh : i * sh + kh, j * sw : j * sw + kw].sum(axis=(1, 2))
    return out / (kh * kw) if isinstance(node, nir.AvgPool2d) else out


def apply(node, x):
    """Return what a node that is no neuron gives for x."""
    if isinstance(node, nir.Conv2d):
        return apply_conv(node, x)
    if isinstance(node, nir.SumPool2d | nir.AvgPool2d):
        return apply_pool(node, x)
    if isinstance(node, nir.Affine | nir.Linear):
        return node.weight @ x.reshape(-1)
    if isinstance(node, nir.Scale):
        return node.scale * x
    return x.reshape(-1)


def dense_of(nodes, shape):
    """Return the matrix of a chain of nodes by pushing unit vectors through it."""
    columns = []
    for i in range(int(np.prod(shape))):
        x = np.zeros(int(np.prod(shape)))
        x[i] = 1
        x = x.reshape(shape)
        for node in nodes:
            x = apply(node, x)
        columns.append(x.reshape(-1))
    return np.stack(columns, axis=1)


def dense_from(snn, first_post, last_post, num_inputs):
    """Return the weights of a population's synapses from the first neurons as a full matrix."""
    matrix = np.zeros((snn.num_neurons, snn.num_neurons))
    matrix[snn.post_of_synapse(), snn.indices] = snn.weights
    return matrix[first_post : last_post + 1, :num_inputs]


def dense_shape(chain, shape):
    x = np.zeros(shape)
    for node in chain:
        x = apply(node, x)
    return x.shape
