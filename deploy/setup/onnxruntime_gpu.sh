#!/bin/bash
# Installs ONNX Runtime's library for NVIDIA GPUs into .deps/onnxruntime-gpu, and beside it the parts of CUDA 13 and cuDNN 9 that it loads.
# The driver (580 or later) and, for TensorRT, libnvinfer are the machine's. 2.5 GB, amd64 only.
# usage: onnxruntime_gpu.sh    then: source .deps/onnxruntime-gpu/env, which names the library and says where CUDA is
source "$(dirname "$0")/lib.sh"

version=1.30.0
folder=$deps/onnxruntime-gpu
wheel_sum=6acc0f4b3d5ac5f2984432faa59dd8fcce6775f8b43a7140afa0f322c7a703b1 # of onnxruntime_gpu 1.30.0, cp312, manylinux_2_28_x86_64
# The CUDA 13.0 that ONNX Runtime's GPU extras ask for; cuBLAS, which the library links, is missing among those.
cuda=(nvidia-cublas==13.1.0.3 nvidia-cuda-runtime==13.0.96 nvidia-cuda-nvrtc==13.0.88 nvidia-cufft==12.0.0.61 nvidia-curand==10.4.0.35 nvidia-cudnn-cu13==9.15.1.9)

[ "$(architecture)" = amd64 ] || stop "ONNX Runtime $version for CUDA 13 is packaged for amd64 only"
if [ -e "$folder/env" ]; then exit 0; fi
if ! python3 -m pip --version >/dev/null 2>&1; then install_packages "to download ONNX Runtime and CUDA" python3-pip; fi

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
say "downloading ONNX Runtime $version for GPUs (250 MB)"
python3 -m pip download --quiet --disable-pip-version-check --no-deps --only-binary=:all: --implementation cp --python-version 3.12 \
  --platform manylinux_2_28_x86_64 --dest "$work" "onnxruntime-gpu==$version"
got=$(sum_of "$work"/onnxruntime_gpu-*.whl)
[ "$got" = "$wheel_sum" ] || stop "the checksum of onnxruntime-gpu $version differs, so it is not installed" "  expected $wheel_sum" "  found    $got"
python3 -m zipfile -e "$work"/onnxruntime_gpu-*.whl "$work"

say "downloading CUDA 13 and cuDNN 9 (1 GB)"
python3 -m pip install --quiet --disable-pip-version-check --root-user-action ignore --no-deps --only-binary=:all: --target "$work/cuda" "${cuda[@]}"

rm -rf "$folder"
mkdir -p "$folder"
mv "$work"/onnxruntime/capi/libonnxruntime.so.$version "$work"/onnxruntime/capi/libonnxruntime_providers_*.so "$folder"
mv "$work"/cuda/nvidia "$folder/cuda"
libraries=$(find "$folder/cuda" -name lib -type d | paste -sd:)
printf 'export PLANETAG_ORT_LIB=%q\nexport LD_LIBRARY_PATH=%q${LD_LIBRARY_PATH:+:$LD_LIBRARY_PATH}\n' \
  "$folder/libonnxruntime.so.$version" "$libraries" >"$folder/env"
say "ONNX Runtime $version for GPUs is ready; to use it: source $folder/env"
