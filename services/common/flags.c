/*
 * Reading flags and their twins: see flags.h.
 */
#include "common/flags.h"

#include <ctype.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define VARIABLE_SIZE 64u

/* -- values ---------------------------------------------------------------- */

/* The factor that a suffix means; 0 if it means nothing. */
static uint64_t
suffix_factor(const char *suffix)
{
    static const char letters[] = "KMGT";
    const char *letter = strchr(letters, toupper((unsigned char)suffix[0]));

    if (suffix[0] == '\0') {
        return 1;
    }
    if (letter == NULL ||
        (suffix[1] != '\0' && strcmp(suffix + 1, "iB") != 0)) {
        return 0;
    }
    return UINT64_C(1) << (10u * (unsigned)(letter - letters + 1));
}

static bool
number_read(const struct common_flag *flag, const char *text,
            uint64_t *ret_number)
{
    char *end = NULL;
    unsigned long long number;
    uint64_t factor;

    if (!isdigit((unsigned char)text[0])) {
        return false;
    }
    errno = 0;
    number = strtoull(text, &end, 10);
    factor = flag->kind == COMMON_FLAG_BYTES ? suffix_factor(end)
                                             : (*end == '\0' ? 1 : 0);
    if (errno != 0 || factor == 0 || number > UINT64_MAX / factor ||
        number * factor < flag->min || number * factor > flag->max) {
        return false;
    }
    *ret_number = number * factor;
    return true;
}

static bool
list_add(struct common_list *list, const char *text)
{
    if (list->n_items == COMMON_LIST_MAX) {
        return false;
    }
    list->items[list->n_items++] = text;
    return true;
}

/* Of the environment; what may mean either is refused, as a switch may open a
 * door. */
static bool
switch_read(const char *text, bool *ret_on)
{
    bool on = strcmp(text, "1") == 0 || strcmp(text, "true") == 0;

    if (!on && strcmp(text, "0") != 0 && strcmp(text, "false") != 0) {
        return false;
    }
    *ret_on = on;
    return true;
}

/* Set a flag's target; false if the text can't be its value. */
static bool
flag_set(const struct common_flag *flag, const char *text)
{
    switch (flag->kind) {
    case COMMON_FLAG_SWITCH:
        return switch_read(text, flag->target);
    case COMMON_FLAG_TEXT:
        *(const char **)flag->target = text;
        return true;
    case COMMON_FLAG_LIST:
        return list_add(flag->target, text);
    case COMMON_FLAG_NUMBER:
    case COMMON_FLAG_BYTES:
        return number_read(flag, text, flag->target);
    }
    return false;
}

static enum rpcrt_code
value_refuse(const struct common_flag *flag, const char *where,
             const char *text, struct common_error *ret_error)
{
    if (flag->kind == COMMON_FLAG_LIST) {
        return common_error_set(ret_error, RPCRT_INVALID_ARGUMENT,
                                "%s: more than %u values, or %u bytes", where,
                                COMMON_LIST_MAX, COMMON_LIST_WORDS_SIZE);
    }
    if (flag->kind == COMMON_FLAG_SWITCH) {
        return common_error_set(ret_error, RPCRT_INVALID_ARGUMENT,
                                "%s: '%.64s' is not 1, true, 0 or false", where,
                                text);
    }
    return common_error_set(
        ret_error, RPCRT_INVALID_ARGUMENT,
        "%s: '%.64s' is not a number from %llu to %llu%s", where, text,
        (unsigned long long)flag->min, (unsigned long long)flag->max,
        flag->kind == COMMON_FLAG_BYTES ? ", with K, M, G or T behind it" : "");
}

/* -- environment ----------------------------------------------------------- */

/* "kvd" and "tls-cert" make KVD_TLS_CERT. */
static void
variable_name(const struct common_program *program,
              const struct common_flag *flag, char ret_name[VARIABLE_SIZE])
{
    char *c;

    (void)snprintf(ret_name, VARIABLE_SIZE, "%s_%s", program->name, flag->name);
    for (c = ret_name; *c != '\0'; c++) {
        *c = *c == '-' ? '_' : (char)toupper((unsigned char)*c);
    }
}

/* Make the words of a variable a list. */
static bool
list_split(struct common_list *list, const char *text)
{
    char *rest = NULL;
    char *word;

    if (strlen(text) >= sizeof(list->words)) {
        return false;
    }
    memcpy(list->words, text, strlen(text) + 1);
    for (word = strtok_r(list->words, " ", &rest); word != NULL;
         word = strtok_r(NULL, " ", &rest)) {
        if (!list_add(list, word)) {
            return false;
        }
    }
    return true;
}

static enum rpcrt_code
environment_read(const struct common_program *program,
                 struct common_error *ret_error)
{
    size_t i;

    for (i = 0; i < program->n_flags; i++) {
        const struct common_flag *flag = &program->flags[i];
        char name[VARIABLE_SIZE];
        const char *value;

        variable_name(program, flag, name);
        value = getenv(name);
        if (value == NULL || value[0] == '\0') {
            continue;
        }
        if (!(flag->kind == COMMON_FLAG_LIST ? list_split(flag->target, value)
                                             : flag_set(flag, value))) {
            return value_refuse(flag, name, value, ret_error);
        }
    }
    return RPCRT_OK;
}

/* -- arguments ------------------------------------------------------------- */

/* The flag that an argument names, up to "=" if it has one. */
static const struct common_flag *
flag_find(const struct common_program *program, const char *name)
{
    size_t length = strcspn(name, "=");
    size_t i;

    for (i = 0; i < program->n_flags; i++) {
        const char *candidate = program->flags[i].name;

        if (strlen(candidate) == length &&
            strncmp(candidate, name, length) == 0) {
            return &program->flags[i];
        }
    }
    return NULL;
}

/* The value of a flag, behind "=" or in the next argument; NULL if there is
 * none or must be none. */
static const char *
value_take(const struct common_flag *flag, int argc, char **argv, int *i)
{
    const char *value = strchr(argv[*i], '=');

    if (flag->kind == COMMON_FLAG_SWITCH) {
        return value == NULL ? "1" : NULL;
    }
    if (value != NULL) {
        return value + 1;
    }
    return *i + 1 < argc ? argv[++*i] : NULL;
}

/* A list from the arguments replaces the environment's. */
static void
list_renew(const struct common_program *program, const struct common_flag *flag,
           uint64_t *seen)
{
    uint64_t bit = UINT64_C(1) << (unsigned)(flag - program->flags);

    if (flag->kind == COMMON_FLAG_LIST && (*seen & bit) == 0) {
        ((struct common_list *)flag->target)->n_items = 0;
    }
    *seen |= bit;
}

static enum rpcrt_code
argument_read(const struct common_program *program, int argc, char **argv,
              int *i, uint64_t *seen, struct common_error *ret_error)
{
    const char *argument = argv[*i];
    const struct common_flag *flag = strncmp(argument, "--", 2) == 0
                                         ? flag_find(program, argument + 2)
                                         : NULL;
    const char *value;
    char where[VARIABLE_SIZE];

    if (flag == NULL) {
        return common_error_set(ret_error, RPCRT_INVALID_ARGUMENT,
                                "unknown argument '%.64s'; see --help",
                                argument);
    }
    value = value_take(flag, argc, argv, i);
    if (value == NULL) {
        return common_error_set(ret_error, RPCRT_INVALID_ARGUMENT,
                                flag->kind == COMMON_FLAG_SWITCH
                                    ? "--%s takes no value"
                                    : "--%s needs a value",
                                flag->name);
    }
    list_renew(program, flag, seen);
    (void)snprintf(where, sizeof(where), "--%s", flag->name);
    return flag_set(flag, value) ? RPCRT_OK
                                 : value_refuse(flag, where, value, ret_error);
}

enum rpcrt_code
common_flags_read(const struct common_program *program, int argc, char **argv,
                  struct common_error *ret_error, enum common_go_on *ret_go_on)
{
    uint64_t seen = 0;
    int i;

    *ret_go_on = COMMON_GO_ON;
    for (i = 1; i < argc; i++) {
        bool help = strcmp(argv[i], "--help") == 0;

        if (help || strcmp(argv[i], "--version") == 0) {
            *ret_go_on = help ? COMMON_HELP : COMMON_VERSION;
            return RPCRT_OK;
        }
    }
    if (environment_read(program, ret_error) != RPCRT_OK) {
        return ret_error->code;
    }
    for (i = 1; i < argc; i++) {
        if (argument_read(program, argc, argv, &i, &seen, ret_error) !=
            RPCRT_OK) {
            return ret_error->code;
        }
    }
    return RPCRT_OK;
}

/* -- help ------------------------------------------------------------------ */

struct text {
    char *bytes;
    size_t size;
    size_t length; /* that the whole text has */
};

static void RPCRT_PRINTF(2, 3)
    text_add(struct text *text, const char *format, ...)
{
    size_t used = text->length < text->size ? text->length : text->size;
    va_list args;
    int n;

    va_start(args, format);
    n = vsnprintf(text->size == 0 ? NULL : text->bytes + used,
                  text->size - used, format, args);
    va_end(args);
    text->length += n > 0 ? (size_t)n : 0;
}

/* A help text of several lines, each indented. */
static void
text_add_lines(struct text *text, const char *lines)
{
    while (*lines != '\0') {
        size_t length = strcspn(lines, "\n");

        text_add(text, "        %.*s\n", (int)length, lines);
        lines += length + (lines[length] == '\n' ? 1 : 0);
    }
}

size_t
common_flags_help(const struct common_program *program, char *text, size_t size)
{
    struct text all = {.size = size};
    char name[VARIABLE_SIZE];
    size_t i;

    all.bytes = text;
    text_add(&all, "%s: %s\n\nUsage: %s [FLAG]...\n\n", program->name,
             program->summary, program->name);
    for (i = 0; i < program->n_flags; i++) {
        const struct common_flag *flag = &program->flags[i];

        variable_name(program, flag, name);
        text_add(&all, "  --%s%s%s  (%s)\n", flag->name,
                 flag->value == NULL ? "" : " ",
                 flag->value == NULL ? "" : flag->value, name);
        text_add_lines(&all, flag->help);
    }
    text_add(&all, "  --help\n  --version\n\n"
                   "In brackets: the variable of the environment that does "
                   "the same.\n");
    return all.length;
}
