"""The public names, for type checkers; a test holds them against ``__init__.py``."""

from optmap.api import Comparison as Comparison
from optmap.api import compare as compare
from optmap.api import evaluate as evaluate
from optmap.api import map_network as map_network
from optmap.bounds.bound import Bound as Bound
from optmap.decomposing.contract import decompose as decompose
from optmap.errors import InputError as InputError
from optmap.experiment.given import read_platform as read_platform
from optmap.experiment.mapped import MappedNetwork as MappedNetwork
from optmap.instance import Instance as Instance
from optmap.instance import load as load
from optmap.methods import METHODS as METHODS
from optmap.methods import load_method_file as load_method_file
from optmap.methods import register as register
from optmap.model.constraints import Constraints as Constraints
from optmap.model.constraints import Pin as Pin
from optmap.model.decomposition import Decomposition as Decomposition
from optmap.model.grade import Grade as Grade
from optmap.model.mapping import Binding as Binding
from optmap.model.mapping import Clustering as Clustering
from optmap.model.mapping import Mapping as Mapping
from optmap.model.mapping import StaticOrders as StaticOrders
from optmap.model.outcome import Limits as Limits
from optmap.model.outcome import Outcome as Outcome
from optmap.model.outcome import Status as Status
from optmap.model.platform import Crossbar as Crossbar
from optmap.model.platform import Interconnect as Interconnect
from optmap.model.platform import Platform as Platform
from optmap.model.platform import Tile as Tile
from optmap.model.scope import Scope as Scope
from optmap.model.snn import SNN as SNN
from optmap.model.snn import from_edges as from_edges
from optmap.readers.read import read_network as read_network
from optmap.shipped import shipped_instances as shipped_instances
from optmap.shipped import shipped_platforms as shipped_platforms

__version__: str
