"""Makes testdata/gaps.onnx: an album model that answers with the gaps it was fed.

    python3 make_gaps.py            # writes ./gaps.onnx anew

onnx 1.23.2. Of its four classes it gives class 0 the probability e^g/(e^g + 3)
for the gap g before the photo, and shares the rest among the others alike.
"""

from pathlib import Path

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

WIDTH, CLASSES, TOP_K = 8, 4, 3


def main():
    value = helper.make_tensor_value_info
    constants = {
        "first": np.array([[1] + [0] * (CLASSES - 1)], np.float32),
        "nothing": np.zeros((WIDTH, CLASSES), np.float32),
        "last": np.array([2], np.int64),
        "k": np.array([TOP_K], np.int64),
    }
    nodes = [
        helper.make_node("Unsqueeze", ["gaps", "last"], ["column"]),
        helper.make_node("MatMul", ["column", "first"], ["since"]),
        helper.make_node("MatMul", ["embeddings", "nothing"], ["zero"]),  # reads the other input, too
        helper.make_node("Add", ["since", "zero"], ["logits"]),
        helper.make_node("Softmax", ["logits"], ["softmax"], axis=-1),
        helper.make_node("TopK", ["softmax", "k"], ["prob", "cell"], axis=-1, largest=1, sorted=1),
    ]
    graph = helper.make_graph(
        nodes,
        "gaps",
        [value("embeddings", TensorProto.FLOAT, ["n", "t", WIDTH]), value("gaps", TensorProto.FLOAT, ["n", "t"])],
        [value("prob", TensorProto.FLOAT, ["n", "t", TOP_K]), value("cell", TensorProto.INT64, ["n", "t", TOP_K])],
        [numpy_helper.from_array(v, k) for k, v in constants.items()],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8, producer_name="make_gaps")
    helper.set_model_props(model, {"geo.cells": str(CLASSES)})
    onnx.checker.check_model(model, full_check=True)
    onnx.save(model, Path(__file__).parent / "gaps.onnx")


if __name__ == "__main__":
    main()
