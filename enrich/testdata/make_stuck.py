"""Makes stuck.onnx: tiny's CNN, but it does not return from a batch with a white photo.

    python3 make_stuck.py           # numpy 2.4.6, onnx 1.23.2
"""

from pathlib import Path

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

HERE = Path(__file__).parent


def constant(name, value):
    return numpy_helper.from_array(np.asarray(value), name)


def make_stuck():
    model = onnx.load(HERE / "tiny" / "cnn.onnx")
    nodes, value = model.graph.node, helper.make_tensor_value_info
    body = helper.make_graph(
        [helper.make_node("Identity", ["on"], ["still"]), helper.make_node("Identity", ["x"], ["y"])],
        "round",
        [value("i", TensorProto.INT64, []), value("on", TensorProto.BOOL, []), value("x", TensorProto.FLOAT, None)],
        [value("still", TensorProto.BOOL, []), value("y", TensorProto.FLOAT, None)],
    )
    waiting = [
        helper.make_node("ReduceMin", ["bytes"], ["darkest"], axes=[1, 2, 3], keepdims=0),
        helper.make_node("ReduceMax", ["darkest"], ["whitest"], keepdims=0),
        helper.make_node("Greater", ["whitest", "white"], ["is_white"]),
        helper.make_node("Cast", ["is_white"], ["once"], to=TensorProto.INT64),
        helper.make_node("Mul", ["once", "ages"], ["rounds"]),
        helper.make_node("Loop", ["rounds", "go", "mean"], ["waited"], body=body),
    ]
    at = next(i for i, node in enumerate(nodes) if node.op_type == "Gemm")
    nodes[at].input[0] = "waited"
    for node in reversed(waiting):
        nodes.insert(at, node)
    model.graph.initializer.extend([constant("white", np.float32(240)), constant("ages", np.int64(1 << 62)), constant("go", True)])
    onnx.checker.check_model(model, full_check=True)
    onnx.save(model, HERE / "stuck.onnx")


if __name__ == "__main__":
    make_stuck()
