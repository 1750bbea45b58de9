#!/bin/sh
# Builds the native library from src/main/c, by default as the resource that is committed and packed into the jar.
# Usage: kernels/build.sh [FILE]. Needs a C compiler (CC, else gcc; version 10 or later) and a JDK (JAVA_HOME, else javac).
# The same compiler makes the same bytes, wherever the sources lie. The committed file is gcc 12.2's.
set -eu
export LC_ALL=C # the order of files
here=$(CDPATH='' cd "$(dirname "$0")" && pwd -P)
out=${1:-$here/src/main/resources/io/tome4j/kernels/linux-x86_64/libtome4j-kernels.so}
cc=${CC:-gcc}
java=${JAVA_HOME:-$(dirname "$(dirname "$(readlink -f "$(command -v javac)")")")}

case $out in /*) ;; *) out=$PWD/$out ;; esac
mkdir -p "$(dirname "$out")"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# What the library is built from: KernelLibraryTest looks for it.
cd "$here"
sources=$(cat build.sh src/main/c/*.c src/main/c/*.h | sha256sum | cut -d ' ' -f 1)

cd src/main/c
compile() {
    source=$1
    shift
    "$cc" -std=c11 -O3 -fPIC -fvisibility=hidden -fno-ident -ffp-contract=off -fno-asynchronous-unwind-tables \
        -Wall -Wextra -Werror "$@" -c "$source.c" -o "$work/$source.o"
}
compile cpu
compile jni "-DSOURCES=\"$sources\"" -I"$java/include" -I"$java/include/linux"
for kernel in attention winograd; do
    compile "${kernel}_avx512_bf16" -mavx512f -mavx512bw -mavx512dq -mavx512vl -mavx512bf16
done
"$cc" -shared -s -Wl,--build-id=none -Wl,-z,noexecstack -Wl,-z,relro,-z,now -o "$work/library.so" \
    "$work/cpu.o" "$work/jni.o" "$work/attention_avx512_bf16.o" "$work/winograd_avx512_bf16.o"
mv "$work/library.so" "$out"
chmod 644 "$out"
