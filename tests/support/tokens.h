/*
 * Lines of token files, as operators make them with the tools.
 */
#ifndef TESTS_SUPPORT_TOKENS_H
#define TESTS_SUPPORT_TOKENS_H

#include <stddef.h>

/* Append a line to a text of at most size bytes: what the token opens, its
 * SHA-256, and options ("": none). */
void token_line(const char *words, const char *token, const char *options,
                char *text, size_t size);

#endif
