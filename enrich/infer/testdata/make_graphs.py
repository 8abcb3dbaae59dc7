"""Makes the graphs that break or burden the runner on purpose.

    python3 make_graphs.py          # numpy 2.4.6, onnx 1.23.2

Both have the network's names and types, with 2×2 photos, an embedding of 4 and
the 2 most probable of 3 cells.

slow.onnx   runs 10,000 rounds for every step of brightness of the brightest
            byte of the batch: a black photo is done at once, a white one takes
            long enough to be cancelled.
heavy.onnx  folds 24 weights of 1 MB each out of nothing when it is loaded: a
            small file with the memory of a large model.
"""

from pathlib import Path

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

HERE = Path(__file__).parent
WIDTH, CELLS, TOP_K = 4, 3, 2
node, value = helper.make_node, helper.make_tensor_value_info


def constant(name, data):
    return numpy_helper.from_array(np.asarray(data), name)


def save(name, nodes, constants):
    """Nodes turn `mean` [N,3] into `embedding` [N,4]."""
    head = np.zeros((WIDTH, CELLS), np.float32)
    head[:3, :3] = np.eye(3)
    graph = helper.make_graph(
        [
            node("Cast", ["pixels"], ["bytes"], to=TensorProto.FLOAT),
            node("ReduceMean", ["bytes"], ["mean"], axes=[1, 2], keepdims=0),
            *nodes,
            node("MatMul", ["embedding", "head"], ["logits"]),
            node("Softmax", ["logits"], ["softmax"], axis=-1),
            node("TopK", ["softmax", "k"], ["prob", "cell"], axis=-1),
        ],
        name,
        [value("pixels", TensorProto.UINT8, ["n", 2, 2, 3])],
        [
            value("embedding", TensorProto.FLOAT, ["n", WIDTH]),
            value("prob", TensorProto.FLOAT, ["n", TOP_K]),
            value("cell", TensorProto.INT64, ["n", TOP_K]),
        ],
        [constant("head", head), constant("k", np.array([TOP_K], np.int64)), *constants],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8, producer_name="make_graphs")
    onnx.checker.check_model(model, full_check=True)
    onnx.save(model, HERE / f"{name}.onnx")


def make_slow():
    body = helper.make_graph(
        [node("Identity", ["on"], ["still"]), node("MatMul", ["x", "turn"], ["y"])],
        "round",
        [value("i", TensorProto.INT64, []), value("on", TensorProto.BOOL, []), value("x", TensorProto.FLOAT, None)],
        [value("still", TensorProto.BOOL, []), value("y", TensorProto.FLOAT, None)],
    )
    lift = np.zeros((3, WIDTH), np.float32)
    lift[:3, :3] = np.eye(3) / 255
    save(
        "slow",
        [
            node("ReduceMax", ["bytes"], ["brightest"], keepdims=0),
            node("Cast", ["brightest"], ["steps"], to=TensorProto.INT64),
            node("Mul", ["steps", "rounds"], ["trips"]),
            node("MatMul", ["mean", "lift"], ["first"]),
            node("Loop", ["trips", "go", "first"], ["turned"], body=body),
            node("Reshape", ["turned", "flat"], ["embedding"]),
        ],
        [
            constant("rounds", np.array(10_000, np.int64)),
            constant("go", np.array(True)),
            constant("lift", lift),
            constant("turn", np.eye(WIDTH, dtype=np.float32)),
            constant("flat", np.array([-1, WIDTH], np.int64)),
        ],
    )


def make_heavy(layers=24, width=512):
    nodes, constants, x = [], [constant("shape", np.array([width, width], np.int64))], "wide"
    widen = np.full((3, width), 1e-5, np.float32)
    nodes.append(node("MatMul", ["mean", "widen"], ["wide"]))
    for i in range(layers):
        nodes.append(node("ConstantOfShape", ["shape"], [f"w{i}"], value=numpy_helper.from_array(np.array([1e-3 + i * 1e-6], np.float32))))
        nodes.append(node("MatMul", [x, f"w{i}"], [f"x{i}"]))
        x = f"x{i}"
    nodes.append(node("MatMul", [x, "narrow"], ["embedding"]))
    save("heavy", nodes, constants + [constant("widen", widen), constant("narrow", np.full((width, WIDTH), 1e-3, np.float32))])


if __name__ == "__main__":
    make_slow()
    make_heavy()
