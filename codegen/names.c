/*
 * Letters are ASCII here, whatever the locale says: protoc takes no others.
 */
#include "names.h"

#include <stdlib.h>
#include <string.h>

static bool
is_upper(char c)
{
    return c >= 'A' && c <= 'Z';
}

static bool
is_lower(char c)
{
    return c >= 'a' && c <= 'z';
}

static bool
is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static bool
is_alnum(char c)
{
    return is_upper(c) || is_lower(c) || is_digit(c);
}

static char
to_upper(char c)
{
    if (is_lower(c)) {
        c = (char)(c - 'a' + 'A');
    }
    return c;
}

static char
to_lower(char c)
{
    if (is_upper(c)) {
        c = (char)(c - 'A' + 'a');
    }
    return c;
}

char *
name_snake(struct pool *pool, const char *name)
{
    char *snake = pool_alloc(pool, 2 * strlen(name) + 1);
    char before = '\0';
    size_t i, n = 0;

    for (i = 0; name[i] != '\0'; before = name[i], i++) {
        bool word =
            is_upper(name[i]) && (is_lower(before) || is_digit(before) ||
                                  (is_upper(before) && is_lower(name[i + 1])));

        if ((word || !is_alnum(name[i])) && n > 0 && snake[n - 1] != '_') {
            snake[n++] = '_';
        }
        if (is_alnum(name[i])) {
            snake[n++] = to_lower(name[i]);
        }
    }
    if (n > 0 && snake[n - 1] == '_') {
        snake[n - 1] = '\0';
    }
    return snake;
}

char *
name_upper(struct pool *pool, const char *name)
{
    char *upper = pool_copy(pool, name, strlen(name));
    size_t i;

    for (i = 0; upper[i] != '\0'; i++) {
        upper[i] = to_upper(upper[i]);
    }
    return upper;
}

char *
name_of_path(struct pool *pool, const char *path)
{
    char *name =
        pool_format(pool, "%s%s", is_digit(path[0]) ? "file_" : "", path);
    size_t i;

    for (i = 0; name[i] != '\0'; i++) {
        if (!is_alnum(name[i])) {
            name[i] = '_';
        }
    }
    return name;
}

enum c_case { C_TYPE, C_LOWER, C_UPPER };

/* Add one part of a type's name in CamelCase; returns the new end. */
static size_t
add_type_part(char *out, size_t n, const char *part, size_t size)
{
    bool word = true;
    size_t i;

    for (i = 0; i < size; i++) {
        if (part[i] != '_') {
            out[n] = part[i];
            if (word) {
                out[n] = to_upper(part[i]);
            }
            n++;
        }
        word = part[i] == '_';
    }
    return n;
}

/* The same in lower or upper case, with an underscore before each capital
 * letter that follows another character. */
static size_t
add_part(char *out, size_t n, const char *part, size_t size, bool upper)
{
    bool was_upper = true;
    size_t i;

    for (i = 0; i < size; i++) {
        if (is_upper(part[i]) && !was_upper) {
            out[n++] = '_';
        }
        if (upper) {
            out[n++] = to_upper(part[i]);
        } else {
            out[n++] = to_lower(part[i]);
        }
        was_upper = is_upper(part[i]);
    }
    return n;
}

static char *
name_c(struct pool *pool, const char *full_name, enum c_case c_case)
{
    char *out = pool_alloc(pool, 2 * strlen(full_name) + 1);
    const char *part = full_name;
    size_t n = 0;

    while (*part != '\0') {
        size_t size = strcspn(part, ".");

        if (size > 0 && n > 0) {
            out[n++] = '_';
            out[n++] = '_';
        }
        if (c_case == C_TYPE) {
            n = add_type_part(out, n, part, size);
        } else {
            n = add_part(out, n, part, size, c_case == C_UPPER);
        }
        part += size + (part[size] == '.');
    }
    return out;
}

char *
name_c_type(struct pool *pool, const char *full_name)
{
    return name_c(pool, full_name, C_TYPE);
}

char *
name_c_lower(struct pool *pool, const char *full_name)
{
    return name_c(pool, full_name, C_LOWER);
}

char *
name_c_upper(struct pool *pool, const char *full_name)
{
    return name_c(pool, full_name, C_UPPER);
}

/* Words to which protoc-gen-c adds an underscore; sorted. */
static const char *const avoided_words[] = {
    "and",
    "and_eq",
    "asm",
    "auto",
    "bitand",
    "bitor",
    "bool",
    "break",
    "case",
    "catch",
    "char",
    "class",
    "compl",
    "const",
    "const_cast",
    "continue",
    "default",
    "delete",
    "do",
    "double",
    "dynamic_cast",
    "else",
    "enum",
    "explicit",
    "extern",
    "false",
    "float",
    "for",
    "friend",
    "goto",
    "if",
    "inline",
    "int",
    "long",
    "mutable",
    "namespace",
    "new",
    "not",
    "not_eq",
    "operator",
    "or",
    "or_eq",
    "private",
    "protected",
    "public",
    "register",
    "reinterpret_cast",
    "return",
    "short",
    "signed",
    "sizeof",
    "static",
    "static_cast",
    "struct",
    "switch",
    "template",
    "this",
    "throw",
    "true",
    "try",
    "typedef",
    "typeid",
    "typename",
    "union",
    "unsigned",
    "using",
    "virtual",
    "void",
    "volatile",
    "wchar_t",
    "while",
    "xor",
    "xor_eq",
};

/* Further words that do not compile: of C11 and C++17, types that structs of
 * protoc-gen-c name, and macros of compilers and common headers; sorted. */
static const char *const other_words[] = {
    "EOF",         "FILE",       "NULL",          "_Alignas",
    "_Alignof",    "_Atomic",    "_Bool",         "_Complex",
    "_Decimal128", "_Decimal32", "_Decimal64",    "_Float128",
    "_Float16",    "_Float32",   "_Float32x",     "_Float64",
    "_Float64x",   "_Generic",   "_Imaginary",    "_Noreturn",
    "_Pragma",     "alignas",    "alignof",       "char16_t",
    "char32_t",    "constexpr",  "decltype",      "errno",
    "export",      "i386",       "int32_t",       "int64_t",
    "linux",       "noexcept",   "nullptr",       "protobuf_c_boolean",
    "restrict",    "size_t",     "static_assert", "thread_local",
    "typeof",      "uint32_t",   "uint64_t",      "unix",
};

static int
compare_words(const void *a, const void *b)
{
    const char *const *word = b;

    return strcmp(a, *word);
}

static bool
is_among(const char *name, const char *const *words, size_t n_words)
{
    return bsearch(name, words, n_words, sizeof words[0], compare_words) !=
           NULL;
}

static bool
is_avoided(const char *name)
{
    return is_among(name, avoided_words,
                    sizeof avoided_words / sizeof avoided_words[0]);
}

char *
name_c_field(struct pool *pool, const char *name)
{
    char *lower = pool_copy(pool, name, strlen(name));
    size_t i;

    for (i = 0; lower[i] != '\0'; i++) {
        lower[i] = to_lower(lower[i]);
    }
    return is_avoided(lower) ? pool_format(pool, "%s_", lower) : lower;
}

bool
name_is_macro(const char *name)
{
    return strcmp(name, "assert") == 0 || strcmp(name, "offsetof") == 0;
}

bool
name_is_taken(const char *name)
{
    return is_avoided(name) || strncmp(name, "ProtobufC", 9) == 0 ||
           is_among(name, other_words,
                    sizeof other_words / sizeof other_words[0]);
}

bool
name_is_identifier(const char *name)
{
    size_t i;

    for (i = 0; name[i] != '\0'; i++) {
        if (!is_alnum(name[i]) && name[i] != '_') {
            return false;
        }
    }
    return i > 0 && !is_digit(name[0]);
}

bool
name_is_full(const char *name)
{
    bool begins = true; /* a part, whose first character may be no digit */
    size_t i;

    for (i = 0; name[i] != '\0'; i++) {
        if (name[i] == '.' && !begins) {
            begins = true;
            continue;
        }
        if ((!is_alnum(name[i]) && name[i] != '_') ||
            (begins && is_digit(name[i]))) {
            return false;
        }
        begins = false;
    }
    return i == 0 || !begins;
}
