/*
 * Rules for texts from outside. They are UTF-8: the runtime has seen to that.
 */
#ifndef PETSTORE_TEXT_H
#define PETSTORE_TEXT_H

#include <rpcrt/ctx.h>
#include <stdbool.h>
#include <stddef.h>

/* Characters of a species, at the most. */
#define SHOP_SPECIES_MAX 40u

/* Whether a text has min to max characters, and none of them controls. */
bool shop_text_ok(const char *text, size_t min, size_t max);

/* Whether a text has min to max characters, all of them of `allowed`. */
bool shop_word_ok(const char *text, size_t min, size_t max,
                  const char *allowed);

/* Put ASCII letters into lower case. */
void shop_text_lower(char *text);

/* The same with a copy in the memory of the call; NULL without. */
char *shop_text_lower_copy(struct rpcrt_ctx *ctx, const char *text);

/* Whether `part`, in lower case, stands in text; letters of ASCII count as
 * the same in either case. */
bool shop_text_has(const char *text, const char *part);

#endif
