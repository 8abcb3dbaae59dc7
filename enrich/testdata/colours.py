"""The layers by which the networks of testdata/tiny and testdata/gallery look at colours."""

import numpy as np
from onnx import TensorProto, helper

# Columns: how much redder, greener, bluer than the other two; brightness; r, g, b; brightness again.
LOOK = np.array(
    [
        [1, -0.5, -0.5, 1 / 3, 1, 0, 0, 1 / 3],
        [-0.5, 1, -0.5, 1 / 3, 0, 1, 0, 1 / 3],
        [-0.5, -0.5, 1, 1 / 3, 0, 0, 1, 1 / 3],
    ],
    np.float32,
)
# A colour speaks above 0.1, white above a brightness of 0.75; the other columns pass as they are.
BIAS = np.array([-0.1, -0.1, -0.1, -0.75, 0, 0, 0, 0], np.float32)


def look_at(pixels, loud):
    """From pixels to the columns; reads the constants full, look, bias and gain."""
    return [
        helper.make_node("Cast", [pixels], ["bytes"], to=TensorProto.FLOAT),
        helper.make_node("Div", ["bytes", "full"], ["rgb"]),
        helper.make_node("ReduceMean", ["rgb"], ["mean"], axes=[1, 2], keepdims=0),
        helper.make_node("Gemm", ["mean", "look", "bias"], ["seen"]),
        helper.make_node("Relu", ["seen"], ["positive"]),
        helper.make_node("Mul", ["positive", "gain"], [loud]),
    ]
