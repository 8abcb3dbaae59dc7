#!/bin/bash
# The worker for arm64, on a machine that is none: built by Debian's cross compiler, run by QEMU. The decoder's tests, the demo bundle's golden photos and
# the demo. Debian 12 and 13; some 600 MB in .deps/arm64. What it cannot show is speed, and decoder processes (an emulated program cannot start itself).
source "$(dirname "$0")/setup/lib.sh"

have apt-get && grep -qx 'ID=debian' /etc/os-release || stop "this takes arm64's libraries from Debian's archive, and this machine is no Debian"
deps=$deps/arm64
system=$deps/system # arm64's libraries, unpacked: nothing of them is installed here
lib=/usr/lib/aarch64-linux-gnu

missing=()
have aarch64-linux-gnu-gcc || missing+=(gcc-aarch64-linux-gnu)
have qemu-aarch64 || missing+=(qemu-user)
if [ "${#missing[@]}" -gt 0 ]; then install_packages "to build for arm64 and to run that here" "${missing[@]}"; fi

# apt for arm64, apart from this machine's.
foreign() {
  apt-get -q -o APT::Architecture=arm64 -o APT::Architectures::=arm64 -o APT::Install-Recommends=false -o APT::Sandbox::User="$(id -un)" \
    -o Dir::State="$deps/apt" -o Dir::State::status="$deps/apt/status" -o Dir::Cache="$deps/apt" \
    -o Dir::Etc::sourcelist="$deps/apt/sources" -o Dir::Etc::sourceparts=- "$@"
}

if [ ! -e "$deps/ready" ]; then
  say "downloading libvips, libjpeg-turbo and what they need, for arm64"
  rm -rf "$system" "$deps/apt"
  mkdir -p "$system" "$deps/apt/lists/partial" "$deps/apt/archives/partial"
  touch "$deps/apt/status"
  apt-get indextargets --format 'deb $(REPO_URI) $(CODENAME) $(COMPONENT)' 'Identifier: Packages' 'Origin: Debian' | sort -u >"$deps/apt/sources"
  foreign update >"$deps/apt/log" 2>&1 && foreign install -y --download-only libvips-dev libjpeg-dev libc6-dev >>"$deps/apt/log" 2>&1 ||
    stop "Debian's archive did not give them: $(tail -n 3 "$deps/apt/log")"
  for package in "$deps"/apt/archives/*.deb; do dpkg-deb -x "$package" "$system"; done
  # Links that an installation makes.
  [ -e "$system/lib" ] || ln -s usr/lib "$system/lib"
  [ -e "$system$lib/pkgconfig/hdf5.pc" ] || ln -s hdf5-serial.pc "$system$lib/pkgconfig/hdf5.pc"
  # ONNX Runtime looks there when it is loaded, and does not survive what it finds on another processor.
  mkdir -p "$system/proc"
  printf 'processor\t: 0\nFeatures\t: fp asimd atomics\nCPU implementer\t: 0x41\nCPU architecture: 8\nCPU variant\t: 0x3\nCPU part\t: 0xd0c\nCPU revision\t: 1\n\n' \
    >"$system/proc/cpuinfo"
  rm -rf "$deps/apt"
  touch "$deps/ready"
fi
env -u PLANETAG_ORT_LIB PLANETAG_DEPS="$deps" PLANETAG_ARCH=arm64 "$root/deploy/setup/onnxruntime.sh"

export GOARCH=arm64 CGO_ENABLED=1 CC="aarch64-linux-gnu-gcc --sysroot=$system"
export PKG_CONFIG_SYSROOT_DIR=$system PKG_CONFIG_LIBDIR=$system$lib/pkgconfig:$system/usr/share/pkgconfig
export CGO_LDFLAGS="-L$system$lib -Wl,--allow-shlib-undefined"
emulator=(qemu-aarch64 -L "$system" -E "LD_LIBRARY_PATH=$lib:$lib/blas:$lib/lapack"
  -E PLANETAG_ORT_LIB="$(echo "$deps"/onnxruntime/libonnxruntime.so.*)" -E PLANETAG_DECODE_ISOLATION=none)

cd "$root"
say "building bin/planetag-arm64"
go build -trimpath -buildvcs=false -o bin/planetag-arm64 ./cmd/planetag
"${emulator[@]}" bin/planetag-arm64 bundle verify bundles/demo
say "the decoder's tests, as arm64"
go test -exec "${emulator[*]}" -skip 'Pool|Child' -timeout 30m ./enrich/decode
say "the demo, as arm64"
"${emulator[@]}" bin/planetag-arm64 demo
