/*
 * Files of tokens, and looking tokens up: see tokens.h.
 */
#include "common/tokens.h"

#include "common/words.h"

#include <errno.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define LINE_SIZE 512u
#define TOKENS_MAX 1000u
#define HASH_SIZE crypto_hash_sha256_BYTES
#define DAY_S INT64_C(86400)

struct token {
    uint8_t hash[HASH_SIZE];
    int64_t until_s; /* valid before it */
    void *access;
};

struct common_tokens {
    struct token *items;
    size_t n_items;
};

/* What is needed to read a file. */
struct reader {
    const char *path;
    common_token_line_fn *line_read;
    size_t access_size;
    struct common_tokens *tokens;
    struct common_error *error;
};

/* -- digits ---------------------------------------------------------------- */

static bool
hash_read(const char *digits, uint8_t ret_hash[HASH_SIZE])
{
    size_t n = 0;
    const char *end = NULL;

    return strlen(digits) == (size_t)2 * HASH_SIZE &&
           sodium_hex2bin(ret_hash, HASH_SIZE, digits, strlen(digits), NULL, &n,
                          &end) == 0 &&
           n == HASH_SIZE && *end == '\0';
}

/* -- days ------------------------------------------------------------------ */

static bool
is_leap(int year)
{
    return year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
}

static int
days_in_month(int year, int month)
{
    static const int days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};

    return days[month - 1] + (month == 2 && is_leap(year) ? 1 : 0);
}

/* A number of so many digits; -1 if it is none. */
static int
digits_read(const char *text, size_t n)
{
    int number = 0;
    size_t i;

    for (i = 0; i < n; i++) {
        if (text[i] < '0' || text[i] > '9') {
            return -1;
        }
        number = number * 10 + (text[i] - '0');
    }
    return number;
}

/* The end of a day "2027-01-31", in seconds since 1970. */
static bool
day_read(const char *text, int64_t *ret_end_s)
{
    int64_t days = 0;
    int year;
    int month;
    int day;
    int i;

    if (strlen(text) != strlen("YYYY-MM-DD") || text[4] != '-' ||
        text[7] != '-') {
        return false;
    }
    year = digits_read(text, 4);
    month = digits_read(text + 5, 2);
    day = digits_read(text + 8, 2);
    if (year < 1970 || month < 1 || month > 12 || day < 1 ||
        day > days_in_month(year, month)) {
        return false;
    }
    for (i = 1970; i < year; i++) {
        days += is_leap(i) ? 366 : 365;
    }
    for (i = 1; i < month; i++) {
        days += days_in_month(year, i);
    }
    *ret_end_s = (days + day) * DAY_S;
    return true;
}

/* -- lines ----------------------------------------------------------------- */

/* Put a word where it belongs; NULL, or why it can't be. */
static const char *
word_add(char *word, struct common_token_line *line, struct token *token,
         bool *hash_seen)
{
    static const char until[] = "until=";

    if (!*hash_seen && line->n_words > 0 && hash_read(word, token->hash)) {
        *hash_seen = true;
        return NULL;
    }
    if (*hash_seen && strncmp(word, until, sizeof(until) - 1) == 0) {
        return token->until_s == INT64_MAX &&
                       day_read(word + sizeof(until) - 1, &token->until_s)
                   ? NULL
                   : "expected until=YYYY-MM-DD, once";
    }
    if ((*hash_seen ? line->n_options : line->n_words) ==
        COMMON_TOKEN_WORDS_MAX) {
        return *hash_seen ? "too many words behind the digits"
                          : "expected the 64 hexadecimal digits of a token's "
                            "SHA-256";
    }
    if (*hash_seen) {
        line->options[line->n_options++] = word;
    } else {
        line->words[line->n_words++] = word;
    }
    return NULL;
}

/* Why a line can't be used; NULL if it can. Nothing of the line is told: it
 * may be a token that was put into the wrong file. */
static const char *
line_read(const struct reader *reader, char *text, struct token *token,
          bool *ret_empty)
{
    struct common_token_line line = {.n_words = 0};
    bool hash_seen = false;
    const char *why = NULL;
    char *word = common_word_next(&text);

    *ret_empty = word == NULL || word[0] == '#';
    if (*ret_empty) {
        return NULL;
    }
    for (; word != NULL && why == NULL; word = common_word_next(&text)) {
        why = word_add(word, &line, token, &hash_seen);
    }
    if (why == NULL && !hash_seen) {
        why = "expected the 64 hexadecimal digits of a token's SHA-256";
    }
    return why != NULL ? why : reader->line_read(&line, token->access);
}

static enum rpcrt_code
token_add(struct common_tokens *tokens, const struct token *token,
          struct common_error *ret_error)
{
    struct token *items;

    if (tokens->n_items == TOKENS_MAX) {
        return common_error_set(ret_error, RPCRT_RESOURCE_EXHAUSTED,
                                "more than %u tokens", TOKENS_MAX);
    }
    items = realloc(tokens->items, (tokens->n_items + 1) * sizeof(*items));
    if (items == NULL) {
        return common_error_no_memory(ret_error);
    }
    tokens->items = items;
    items[tokens->n_items++] = *token;
    return RPCRT_OK;
}

static bool
hash_known(const struct common_tokens *tokens, const struct token *token)
{
    size_t i;

    for (i = 0; i < tokens->n_items; i++) {
        if (memcmp(tokens->items[i].hash, token->hash, HASH_SIZE) == 0) {
            return true;
        }
    }
    return false;
}

/* One line of the file; the token is kept or gone afterwards. */
static enum rpcrt_code
line_take(const struct reader *reader, char *text, unsigned number)
{
    struct token token = {.until_s = INT64_MAX};
    bool empty = false;
    const char *why;

    token.access = calloc(1, reader->access_size);
    if (token.access == NULL) {
        return common_error_no_memory(reader->error);
    }
    why = strlen(text) == LINE_SIZE - 1
              ? "the line is too long"
              : line_read(reader, text, &token, &empty);
    if (why == NULL && !empty && hash_known(reader->tokens, &token)) {
        why = "an earlier line has the same token";
    }
    if (why != NULL) {
        free(token.access);
        return common_error_set(reader->error, RPCRT_INVALID_ARGUMENT,
                                "%s:%u: %s", reader->path, number, why);
    }
    if (empty || token_add(reader->tokens, &token, reader->error) != RPCRT_OK) {
        free(token.access);
        return empty ? RPCRT_OK : reader->error->code;
    }
    return RPCRT_OK;
}

/* -- the file -------------------------------------------------------------- */

static enum rpcrt_code
file_read(const struct reader *reader, FILE *file)
{
    char line[LINE_SIZE];
    unsigned number = 0;

    /* Behind the end of what is read there is no zero byte but its own. */
    while (memset(line, 1, sizeof(line)),
           fgets(line, sizeof(line), file) != NULL) {
        size_t size = strlen(line) + 1;

        if (memchr(line + size, '\0', sizeof(line) - size) != NULL) {
            return common_error_set(reader->error, RPCRT_INVALID_ARGUMENT,
                                    "%s:%u: not a text", reader->path,
                                    number + 1);
        }
        if (line_take(reader, line, ++number) != RPCRT_OK) {
            return reader->error->code;
        }
    }
    if (ferror(file)) {
        return common_error_errno(reader->error, RPCRT_FAILED_PRECONDITION,
                                  errno, "read %s", reader->path);
    }
    if (reader->tokens->n_items == 0) {
        return common_error_set(reader->error, RPCRT_INVALID_ARGUMENT,
                                "%s: no token: nobody could come in",
                                reader->path);
    }
    return RPCRT_OK;
}

enum rpcrt_code
common_tokens_load(const char *path, common_token_line_fn *line_fn,
                   size_t access_size, struct common_error *ret_error,
                   struct common_tokens **ret_tokens)
{
    struct common_tokens *tokens = calloc(1, sizeof(*tokens));
    struct reader reader = {path, line_fn, access_size, tokens, ret_error};
    enum rpcrt_code code;
    FILE *file;

    if (tokens == NULL || sodium_init() < 0) {
        free(tokens);
        return common_error_no_memory(ret_error);
    }
    file = fopen(path, "re");
    if (file == NULL) {
        free(tokens);
        return common_error_errno(ret_error, RPCRT_FAILED_PRECONDITION, errno,
                                  "open %s", path);
    }
    code = file_read(&reader, file);
    (void)fclose(file);
    if (code != RPCRT_OK) {
        common_tokens_free(tokens);
        return code;
    }
    *ret_tokens = tokens;
    return RPCRT_OK;
}

void
common_tokens_free(struct common_tokens *tokens)
{
    size_t i;

    if (tokens == NULL) {
        return;
    }
    for (i = 0; i < tokens->n_items; i++) {
        free(tokens->items[i].access);
    }
    free(tokens->items);
    free(tokens);
}

/* -- looking up ------------------------------------------------------------ */

enum common_token_state
common_tokens_find(const struct common_tokens *tokens, const char *token,
                   size_t size, int64_t now_s, const void **ret_access)
{
    enum common_token_state state = COMMON_TOKEN_UNKNOWN;
    uint8_t hash[HASH_SIZE];
    size_t i;

    (void)crypto_hash_sha256(hash, (const uint8_t *)(size == 0 ? "" : token),
                             size);
    for (i = 0; i < tokens->n_items; i++) {
        const struct token *item = &tokens->items[i];

        if (sodium_memcmp(hash, item->hash, sizeof(hash)) != 0) {
            continue;
        }
        if (now_s < item->until_s) {
            state = COMMON_TOKEN_KNOWN;
            *ret_access = item->access;
        } else {
            state = COMMON_TOKEN_EXPIRED;
        }
    }
    return state;
}

const char *const common_open_methods[] = {
    "/grpc.health.v1.Health/", "/grpc.reflection.v1.ServerReflection/",
    "/grpc.reflection.v1alpha.ServerReflection/", NULL};

/* Whether a text can be sent as metadata. */
static bool
is_printable(const char *text)
{
    const char *c = text;

    while (*c >= ' ' && *c <= '~') {
        c++;
    }
    return *c == '\0' && c > text;
}

/* The first line of a file, without its end; false if it is longer. */
static bool
first_line(FILE *file, char *ret_line, size_t size)
{
    size_t length = 0;
    int c;

    while ((c = fgetc(file)) != EOF && c != '\n' && c != '\r') {
        if (length == size - 1) {
            return false;
        }
        ret_line[length++] = (char)c;
    }
    ret_line[length] = '\0';
    return true;
}

enum rpcrt_code
common_token_read(const char *path, char *ret_token, size_t size,
                  struct common_error *ret_error)
{
    FILE *file = fopen(path, "re");
    bool fits;
    int failed;

    if (file == NULL) {
        return common_error_errno(ret_error, RPCRT_FAILED_PRECONDITION, errno,
                                  "token file %s", path);
    }
    (void)setvbuf(file, NULL, _IONBF, 0); /* no copy that can't be wiped */
    errno = 0;
    fits = first_line(file, ret_token, size);
    failed = ferror(file) ? errno : 0;
    (void)fclose(file);
    if (failed != 0) {
        return common_error_errno(ret_error, RPCRT_FAILED_PRECONDITION, failed,
                                  "token file %s", path);
    }
    if (!fits || !is_printable(ret_token)) {
        return common_error_set(ret_error, RPCRT_INVALID_ARGUMENT,
                                fits ? "token file %s: its first line is no "
                                       "token: 1 or more printable characters "
                                       "of ASCII"
                                     : "token file %s: the token is too long",
                                path);
    }
    return RPCRT_OK;
}
