"""Write the instance file beside the data, the same way for all scripts of this folder."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from optmap.model.snn import SNN
from optmap.readers.arrays import write_arrays

HERE = Path(__file__).resolve().parents[1]


def write_instance(
    name: str,
    snn: SNN,
    *,
    text: str,
    licence: str,
    generator: str,
    seed: int,
    provenance: dict[str, str],
    network: str | None = None,
    platform: str = "dynap_se",
    in_default_set: bool = False,
    values: np.ndarray | None = None,
    steps: int = 0,
    weight_bits: int | None = None,
) -> None:
    """Write NAME.toml and its arrays.

    Without ``network`` (a ``gen:`` name) the whole network is stored, else only its spikes.
    ``values`` are what the inputs can be shown in another code, ``steps`` each.
    """
    lines = ["schema = 1", f'name = "{name}"']
    if network is None:
        write_arrays(HERE / f"{name}.npz", snn)
        lines.append(f'network = "{name}.npz"')
    else:
        np.savez_compressed(
            HERE / f"{name}_spikes.npz", spikes=snn.spikes, spikes_origin=snn.spikes_origin
        )
        lines += [f'network = "{network}"', f'spikes = "{name}_spikes.npz"']
    lines += [f'platform = "platforms/{platform}.toml"', 'tokens = "dataflow"']
    lines += [""] if in_default_set else ['set = "all"', ""]
    if values is not None:
        np.savez_compressed(HERE / f"{name}_values.npz", values=values.astype(np.float32))
        lines += [
            "[encoding]",
            f'values = "{name}_values.npz"',
            f"steps = {steps}",
            f"seed = {seed}",
        ]
        lines += ["dt = 1", 'reset = "subtract"', "at_threshold = true", ""]
    if weight_bits is not None:
        lines += ["[weight_bits]", f"default = {weight_bits}", ""]
    lines += ["[origin]", f'text = "{text}"', f'licence = "{licence}"']
    lines += [f'generator = "{generator}"', f"seed = {seed}", "", "[provenance]"]
    lines += [f'{key} = "{value}"' for key, value in provenance.items()]
    (HERE / f"{name}.toml").write_text("\n".join(lines) + "\n", encoding="utf-8")
    print(f"{name}: {snn}, spikes {int(snn.spikes.sum())}, largest fan-in {snn.max_fan_in}")
