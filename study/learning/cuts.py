"""Networks in three pieces: what precedes the last block, that block, and what follows it.

A network's own ``forward`` is traced (``torch.fx``), so the pieces together compute exactly what it
does. They share its weights.
"""

from __future__ import annotations

from collections.abc import Container
from dataclasses import dataclass

from torch import Tensor, fx, nn


class CutError(ValueError):
    """A network that cannot be cut there; the message says why."""


@dataclass(frozen=True)
class Cut:
    """The three pieces of a network.

    Attributes:
        stem: normalised images [N, 3, H, W] -> what enters the last block.
        block: that -> the features [N, C, h, w] that enter pooling.
        head: features -> logits [N, K].
        in_block: the submodules with weights of the last block, by name in the network.
        in_head: those of what follows it.
        cannot: why ``stem`` is the whole trunk and ``block`` does nothing, or empty.
    """

    stem: nn.Module
    block: nn.Module
    head: nn.Module
    in_block: tuple[str, ...]
    in_head: tuple[str, ...]
    cannot: str = ""


def cut(network: nn.Module, start: str, end: str, method: str = "forward") -> Cut:
    """The network, cut before ``start`` and after ``end``.

    Args:
        network: any network whose ``forward`` can be traced, the modules beside the cuts unopened.
        start: the submodule that begins the last block.
        end: the submodule that ends it, or the name of a node of the traced graph, for functions
            (``relu`` is the first call of that function); empty for the method's own end.
        method: what is traced; with ``forward_features`` the head is what leaves it unchanged.

    Raises:
        CutError: when the network has no such places, or when more than one value crosses a cut.
    """
    training = network.training
    try:
        graph = _Tracer(method, start, end).trace(network.eval())
    except Exception as error:  # whatever a foreign forward does with a stand-in for its tensors
        raise CutError(f"its {method} cannot be traced") from error
    finally:
        network.train(training)
    nodes = list(graph.nodes)
    images = next(node for node in nodes if node.op == "placeholder")
    result = next(node for node in nodes if node.op == "output").args[0]
    first = _find(nodes, start)[0]
    features = _find(nodes, end)[-1] if end else result
    entering = first.args[0]
    if not isinstance(entering, fx.Node) or not isinstance(result, fx.Node):
        raise CutError(f"{start} or the network itself does not map one tensor to one tensor")
    statistics = dict(network.named_buffers())
    pieces = [
        _piece(graph, source, target, statistics)
        for source, target in ((images, entering), (entering, features), (features, result))
    ]
    stem, block, head = (fx.GraphModule(network, piece) for piece in pieces)
    in_block, in_head = (_weighted(network, piece) for piece in pieces[1:])
    return Cut(stem, block, head, in_block, in_head)


class _Tracer(fx.Tracer):
    """Opens the network itself and what contains the places of the cuts; the rest stays whole."""

    def __init__(self, method: str, *places: str) -> None:
        super().__init__()
        self.traced_func_name = method
        self._places = places

    def is_leaf_module(self, m: nn.Module, module_qualified_name: str) -> bool:
        return not any(place.startswith(f"{module_qualified_name}.") for place in self._places)


def _find(nodes: list[fx.Node], place: str) -> list[fx.Node]:
    """The nodes that call the submodule (or what it contains), or the node of that name."""
    found = [
        node
        for node in nodes
        if node.op == "call_module"
        and (node.target == place or str(node.target).startswith(f"{place}."))
    ] or [node for node in nodes if node.name == place]
    if not found:
        raise CutError(f"it has no {place}")
    return found


def _piece(
    graph: fx.Graph, source: fx.Node, target: fx.Node, statistics: Container[str]
) -> fx.Graph:
    """What computes ``target`` from ``source``; what depends on neither is computed again."""
    needed: set[fx.Node] = set()
    waiting = [target]
    while waiting:
        node = waiting.pop()
        if node is not source and node not in needed:
            if node.op == "placeholder" and not node.args:
                raise CutError("more than one value crosses the cut")
            needed.add(node)
            waiting.extend(node.all_input_nodes)
    if any(node.op == "get_attr" and node.target in statistics for node in needed):
        raise CutError("a buffer of its own takes part, which would stay behind on its device")
    piece = fx.Graph()
    copies = {source: piece.placeholder("entering")}
    for node in graph.nodes:
        if node in needed:
            copies[node] = piece.node_copy(node, lambda old: copies[old])
    piece.output(copies[target])
    return piece


def _weighted(network: nn.Module, piece: fx.Graph) -> tuple[str, ...]:
    """The submodules that a piece calls and that have weights or statistics, in order."""
    names = [str(node.target) for node in piece.nodes if node.op == "call_module"]
    return tuple(name for name in dict.fromkeys(names) if network.get_submodule(name).state_dict())


class Nothing(nn.Module):
    """Hands its input on."""

    def forward(self, values: Tensor) -> Tensor:
        """The input."""
        return values


def unpooled(features: nn.Module) -> tuple[str, str]:
    """VGG's and AlexNet's places: from behind the pooling before the last, to before the last."""
    layers = list(features.named_children())
    pools = [index for index, (_, layer) in enumerate(layers) if isinstance(layer, nn.MaxPool2d)]
    return f"features.{layers[pools[-2] + 1][0]}", f"features.{layers[pools[-1] - 1][0]}"
