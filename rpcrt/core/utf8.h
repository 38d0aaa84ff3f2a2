/*
 * UTF-8 as far as the runtime looks into it: whether a string that came from
 * elsewhere is text, and where a text that is too long can be cut.
 */
#ifndef RPCRT_CORE_UTF8_H
#define RPCRT_CORE_UTF8_H

#include <stddef.h>
#include <stdint.h>

/* How many bytes from the start are whole characters other than U+0000; the
 * size itself if all are. */
size_t rpcrt__utf8_valid_size(const uint8_t *data, size_t size);

/* The size of the character at the start: 1 to 4, or 0 if there is none.
 * U+0000 is one. */
size_t rpcrt__utf8_character_size(const uint8_t *data, size_t size);

/* The length up to which a text that was cut at `length` has whole characters;
 * bytes that are not UTF-8 count as such. */
size_t rpcrt__utf8_cut(const char *text, size_t length);

#endif
