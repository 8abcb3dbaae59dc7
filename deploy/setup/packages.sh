#!/bin/bash
# Installs what building planetag needs from the distribution: a C compiler, pkg-config, and the development files of libvips and libjpeg-turbo.
# Debian 12 and 13, Ubuntu 24.04. Nothing is touched when everything is there.
source "$(dirname "$0")/lib.sh"

# libheif 1.17 and later loads its codecs as plug-ins that are only recommended, so HEIC and AVIF need them by name.
# Older distributions have them built in and know no such package.
heif_plugins=(libheif-plugin-libde265 libheif-plugin-dav1d)

# Asking apt takes seconds, so a distribution whose plug-ins were looked at once is not asked again.
stamp=$deps/packages-$(. /etc/os-release && echo "$ID-${VERSION_ID:-rolling}")

in_archive() { apt-cache show "$1" >/dev/null 2>&1; }
installed() { dpkg-query -W -f '${Status}' "$1" 2>/dev/null | grep -q 'ok installed'; }

missing=()
have cc || missing+=(gcc libc6-dev)
have pkg-config || missing+=(pkg-config)
have make || missing+=(make)
if ! have pkg-config || ! pkg-config --exists vips; then missing+=(libvips-dev); fi
if ! have pkg-config || ! pkg-config --exists libjpeg; then missing+=(libjpeg-dev); fi
if [ "${#missing[@]}" -gt 0 ]; then
  install_packages "to compile the photo decoder" "${missing[@]}"
fi

plugins=()
if [ ! -e "$stamp" ] && have apt-cache; then
  for plugin in "${heif_plugins[@]}"; do
    if in_archive "$plugin" && ! installed "$plugin"; then plugins+=("$plugin"); fi
  done
fi
if [ "${#plugins[@]}" -gt 0 ]; then
  install_packages "to read HEIC and AVIF photos" "${plugins[@]}"
fi

pkg-config --exists vips || stop "libvips-dev is installed but pkg-config does not find it; is PKG_CONFIG_PATH set to something else?"
mkdir -p "$deps"
touch "$stamp"
if [ "${#missing[@]}" -gt 0 ]; then say "libvips $(pkg-config --modversion vips) is ready"; fi
