"""The binding part of the joint problem alone: master of the Benders method, start of the other.

Families and symbols are those of cpsat_model.py; there are no starts and no orders, so that its
loads only bound the period.
"""

from __future__ import annotations

from formulations.joint.cpsat_model import JointModel

#: No more images of one cut than this are posted.
MAX_IMAGES = 48


class MasterModel(JointModel):
    """The joint model's binding families alone, with its loads under a cap."""

    def build(self) -> MasterModel:
        """Post the families of the master; no starts, no orders."""
        self.place_within_loads()
        self.break_tile_symmetry()
        return self

    def place_within_loads(self) -> None:
        """Post the binding's families and its loads; tiles may be told apart or not."""
        self.place_each_cluster_once()
        self.respect_slots()
        self.respect_crossbars()
        self.link_channels()
        self.respect_buffers()
        self.switch_on_shared_tiles()
        self.respect_loads()

    def cut(self, tiles: dict[int, int]) -> None:
        """(C)  not all clusters of ``tiles`` on these tiles, nor on an image of them."""
        images = {tuple((a, g[t]) for a, t in tiles.items()) for g in self.sets.group}
        for image in sorted(images)[:MAX_IMAGES]:
            self.cp.add_bool_or(~self.z[pair] for pair in image)
        if len(images) > MAX_IMAGES:  # the one in hand must be among them
            self.cp.add_bool_or(~self.z[a, t] for a, t in tiles.items())

    def minimize_sends(self) -> None:
        """(J0)  min sum send_e remote[e]: the shorter the sends, the more freedom orders have."""
        channels = zip(self.sets.channels, self.remote, strict=True)
        self.cp.minimize(sum((c.send * remote for c, remote in channels), 0))
