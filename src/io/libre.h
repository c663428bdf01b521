/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MCX_IO_LIBRE_H
#define MCX_IO_LIBRE_H

/*
 * libre's headers, always by this file: the layout of `struct sa` and the size of `bool` in them hang on macros
 * that the library was built with (share/re/re.mk of libre-dev), and a program without them corrupts memory.
 */

#define HAVE_INET6
#define HAVE_INTTYPES_H
#define HAVE_STDBOOL_H
#define USE_OPENSSL

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <re.h>

#endif
