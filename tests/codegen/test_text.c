/*
 * How generated code is written: templates, parameters, comments.
 */
#include "text.h"

#include <criterion/criterion.h>
#include <string.h>

static struct text text;

static void
set_up(void)
{
    text_init(&text, pool_new());
}

static void
tear_down(void)
{
    pool_free(text.pool);
}

TestSuite(text, .init = set_up, .fini = tear_down);

Test(text, grows)
{
    size_t i;

    for (i = 0; i < 100000; i++) {
        text_add(&text, "0123456789");
    }
    cr_assert_eq(text.size, 1000000);
    cr_assert_eq(strlen(text.data), 1000000);
    cr_assert_str_eq(text.data + 999990, "0123456789");
}

Test(text, formats_what_is_longer_than_its_buffer)
{
    char longer[1000];

    memset(longer, 'x', sizeof longer - 1);
    longer[sizeof longer - 1] = '\0';
    text_format(&text, "<%s>", longer);
    cr_assert_eq(text.size, sizeof longer + 1);
    cr_assert_eq(text.data[text.size - 1], '>');
}

Test(text, replaces_names_in_a_template)
{
    const struct text_var vars[] = {{"a", "1"}, {"ab", "$a$"}, {NULL, NULL}};

    text_emit(&text, vars, "$a$$ab$ b$a$");
    cr_assert_str_eq(text.data, "1$a$ b1");
}

static void
expect_parameters(const char *name, const char *const *parameters,
                  const char *expected)
{
    text.size = 0;
    text_add(&text, "before\n");
    text_add(&text, name);
    text_parameters(&text, 0, parameters, ");");
    cr_expect_str_eq(text.data, expected);
}

Test(text, breaks_parameters_at_80_columns)
{
    /* 12 + 32 + 2 + 32 + 2 are 80 columns */
    static const char *const fit[] = {"int aaaaaaaaaaaaaaaaaaaaaaaaaaaa",
                                      "int bbbbbbbbbbbbbbbbbbbbbbbbbbbb", NULL};
    static const char *const full[] = {"int aaaaaaaaaaaaaaaaaaaaaaaaaaaa",
                                       "int bbbbbbbbbbbbbbbbbbbbbbbbbbbbbb",
                                       "int c", NULL};
    static const char *const one[] = {
        "const struct a_struct_with_a_long_name *that_has_a_long_name_too",
        "int c", NULL};
    static const char *const none[] = {"void", NULL};

    expect_parameters("abcdefghijk", fit,
                      "before\nabcdefghijk(int aaaaaaaaaaaaaaaaaaaaaaaaaaaa, "
                      "int bbbbbbbbbbbbbbbbbbbbbbbbbbbb);");
    expect_parameters(
        "abcdefghijk", full,
        "before\nabcdefghijk(int aaaaaaaaaaaaaaaaaaaaaaaaaaaa,\n"
        "            int bbbbbbbbbbbbbbbbbbbbbbbbbbbbbb, int c);");
    expect_parameters("abcdefghijklmnopq", one,
                      "before\nabcdefghijklmnopq(\n"
                      "    const struct a_struct_with_a_long_name "
                      "*that_has_a_long_name_too, int c);");
    expect_parameters("f", none, "before\nf(void);");
}

static void
expect_comment(size_t indent, const char *comment, const char *note,
               const char *expected)
{
    text.size = 0;
    text_add(&text, "");
    text_comment(&text, indent, comment, note);
    cr_expect_str_eq(text.data, expected, "of '%s': %s", comment, text.data);
}

Test(text, makes_one_line_of_a_short_comment)
{
    expect_comment(0, " Read one key.\n", NULL, "/** Read one key. */\n");
    expect_comment(4, "\n\n  x  \n\n", NULL, "    /** x */\n");
}

Test(text, makes_nothing_of_an_empty_comment)
{
    expect_comment(0, "", NULL, "");
    expect_comment(0, " \n\t\r\n", NULL, "");
    expect_comment(0, "", "A note.", "/** A note. */\n");
}

Test(text, keeps_the_lines_of_a_comment)
{
    expect_comment(0, " a\n   b\n\n c\n", "note",
                   "/**\n * a\n *   b\n *\n * c\n *\n * note\n */\n");
}

Test(text, breaks_long_lines_of_a_comment_at_spaces)
{
    static const char word[] = "wwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwww"
                               "wwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwww";

    expect_comment(0,
                   "1234567890 1234567890 1234567890 1234567890 1234567890 "
                   "1234567890 1234567890 1234567890",
                   NULL,
                   "/**\n * 1234567890 1234567890 1234567890 1234567890 "
                   "1234567890 1234567890 1234567890\n * 1234567890\n */\n");
    expect_comment(0, word, NULL,
                   pool_format(text.pool, "/**\n * %s\n */\n", word));
    expect_comment(
        0, pool_format(text.pool, "a %s b", word), NULL,
        pool_format(text.pool, "/**\n * a\n * %s\n * b\n */\n", word));
}

Test(text, counts_characters_and_not_bytes)
{
    /* 73 of them: exactly one line */
    char comment[2 * 73 + 1];
    size_t i;

    for (i = 0; i < 73; i++) {
        memcpy(comment + 2 * i, "\xc3\xa4", 2);
    }
    comment[sizeof comment - 1] = '\0';
    expect_comment(0, comment, NULL,
                   pool_format(text.pool, "/**\n * %s\n */\n", comment));
}

Test(text, lets_no_comment_end_early)
{
    expect_comment(0, "a */ b /* c", NULL, "/** a * / b / * c */\n");
    expect_comment(0, "*/", NULL, "/** * / */\n");
    expect_comment(0, "*/*/", NULL, "/** * / * / */\n");
    expect_comment(0, "*\r/", NULL, "/** * / */\n");
    expect_comment(0, "*\xe2\x80\xae/", NULL, "/** * / */\n");
    expect_comment(0, "/", NULL, "/** / */\n");
    expect_comment(0, "?\?/", NULL, "/** ? ?/ */\n");
    expect_comment(0, "?\?\?/", NULL, "/** ? ? ?/ */\n");
}

Test(text, cleans_what_a_compiler_warns_of)
{
    expect_comment(0, "a\tb\x01\x7f", NULL, "/** a b */\n");
    expect_comment(0, "a\xff\xc0\x80z", NULL, "/** a???z */\n");
    expect_comment(0, "a\xe2\x81\xa6z\xe4\xb8\x96", NULL,
                   "/** az\xe4\xb8\x96 */\n");
    expect_comment(0, "cut\xe4\xb8", NULL, "/** cut?? */\n");
}
