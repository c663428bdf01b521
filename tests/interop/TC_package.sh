#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# A vendor's view: install, then build the README's program once with find_package(mcx) and once with pkg-config, and
# call every public function from C++.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

cmake --install "$MCX_BIN/.." --prefix "$work/usr" >"$work/install.log"
for page in "$MCX_SOURCE"/docs/man/*; do
    [ -n "$(find "$work/usr" -name "$(basename "$page")")" ] || { echo "$page is not installed" >&2; exit 1; }
done
# The program is the one printed in README.md, so that it cannot rot.
sed -n '/^```c$/,/^```$/p' "$MCX_SOURCE/README.md" | sed '1d;$d' >"$work/main.c"
[ -s "$work/main.c" ] || { echo "README.md has no C program" >&2; exit 1; }
cat >"$work/CMakeLists.txt" <<'CMAKE'
cmake_minimum_required(VERSION 3.20)
project(vendor C)
find_package(mcx REQUIRED)
add_executable(vendor main.c)
target_link_libraries(vendor mcx::mcx)
CMAKE
cmake -S "$work" -B "$work/build" -DCMAKE_PREFIX_PATH="$work/usr" >"$work/configure.log"
cmake --build "$work/build" >"$work/build.log"
"$work/build/vendor" | tee "$work/one"
# TS 33.180 F.2.1.2 prints this UID
[ "$(cat "$work/one")" = 3a81fb14c3b1d0fe43c9c577104d55a6d81788bfd2f09743c4557746a5a0353b ]

pc=$(find "$work/usr" -name mcx.pc -printf '%h')
# shellcheck disable=SC2046
cc -std=c11 -o "$work/vendor2" "$work/main.c" $(PKG_CONFIG_PATH=$pc pkg-config --cflags --libs mcx)
"$work/vendor2" >"$work/two"
cmp "$work/one" "$work/two"

# C++ finds every function that a public header declares. gcc lists the declarations with the file they stand in.
cd "$work"
for header in usr/include/mcx/*.h; do
    echo "#include <mcx/$(basename "$header")>"
done >all.h
gcc -std=c11 -Iusr/include -fsyntax-only -aux-info declared -xc all.h
{
    cat all.h
    echo 'typedef void function();'
    echo 'extern function *const all[];'
    echo 'function *const all[] = {'
    sed -n 's|^/\* usr/include/mcx/[^(]*[ *]\(mcx_[a-z0-9_]*\) (.*|    reinterpret_cast<function *>(\1),|p' declared | sort -u
    echo '};'
    echo 'int main() { return all[0] == nullptr; }'
} >all.cc
[ "$(grep -c reinterpret_cast all.cc)" -gt 300 ] || { echo "no list of the public functions" >&2; exit 1; }
# shellcheck disable=SC2046
c++ -std=c++17 -Wall -Wextra -Wpedantic -Werror -o all all.cc $(PKG_CONFIG_PATH=$pc pkg-config --cflags --libs mcx)
./all
