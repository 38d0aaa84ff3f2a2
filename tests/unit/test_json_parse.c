/*
 * JSON to messages and back: what the mapping takes, each in its canonical form
 * afterwards, and what it refuses, with the place and the reason.
 */
#include <rpcrt/json.h>

#include "support/json.rpc.h"
#include "support/sample2.rpc.h"

#include <criterion/criterion.h>
#include <rpcrt/gen.h>
#include <stdlib.h>
#include <string.h>

static char shown[4096];

/* A text of All as rpcrt writes it after it was read, or the error. */
static const char *
turn(const char *text, const struct rpcrt_json_options *options)
{
    const ProtobufCMessageDescriptor *type = &sample__json__all__descriptor;
    struct rpcrt_json_error error;
    ProtobufCMessage *message;
    size_t size;
    char *back;

    if (rpcrt_json_parse(text, strlen(text), type, &support_json_proto, options,
                         &message, &error) != RPCRT_OK) {
        return strcpy(shown, error.text);
    }
    cr_assert_eq(rpcrt_json_print(message, &support_json_proto, options, &back,
                                  &size, &error),
                 RPCRT_OK, "%s: %s", text, error.text);
    cr_assert_eq(strlen(back), size);
    cr_assert_lt(size, sizeof shown);
    memcpy(shown, back, size + 1);
    free(back);
    protobuf_c_message_free_unpacked(message, NULL);
    return shown;
}

struct line {
    const char *text;
    const char *expected;
};

static void
turn_all(const struct line *lines, size_t n,
         const struct rpcrt_json_options *options)
{
    size_t i;

    for (i = 0; i < n; i++) {
        cr_expect_str_eq(turn(lines[i].text, options), lines[i].expected,
                         "%s\n gives %s\n not   %s", lines[i].text, shown,
                         lines[i].expected);
    }
}

#define TURN(lines, options)                                                   \
    turn_all((lines), sizeof(lines) / sizeof(lines)[0], (options))

Test(json, numbers_in_every_form_that_is_exact)
{
    static const struct line lines[] = {
#define E(text) "{\"everything\":{" text "}}"
        {E("\"i32\":1e3"), E("\"i32\":1000")},
        {E("\"i32\":\"-2147483648\""), E("\"i32\":-2147483648")},
        {E("\"i32\":1.50e2"), E("\"i32\":150")},
        {E("\"i32\":150e-1"), E("\"i32\":15")},
        {E("\"i32\":-0"), E("")},
        {E("\"i32\":0e99999999999999999999"), E("")},
        {E("\"u64\":18446744073709551615"),
         E("\"u64\":\"18446744073709551615\"")},
        {E("\"u64\":1.8446744073709551615E+19"),
         E("\"u64\":\"18446744073709551615\"")},
        {E("\"i64\":\"-9223372036854775808\""),
         E("\"i64\":\"-9223372036854775808\"")},
        {E("\"s64\":-1,\"sf64\":-1,\"s32\":-1,\"sf32\":-1"),
         E("\"s32\":-1,\"sf32\":-1,\"s64\":\"-1\",\"sf64\":\"-1\"")},
        {E("\"f32\":4294967295,\"f64\":1"),
         E("\"f32\":4294967295,\"f64\":\"1\"")},
        {E("\"real\":0.1,\"precise\":\"0.1\""),
         E("\"real\":0.1,\"precise\":0.1")},
        {E("\"real\":3.4028235e38"), E("\"real\":3.4028235e+38")},
        {E("\"precise\":5e-324"), E("\"precise\":5e-324")},
        {E("\"precise\":\"-Infinity\",\"real\":\"NaN\""),
         E("\"real\":\"NaN\",\"precise\":\"-Infinity\"")},
        {E("\"flag\":true"), E("\"flag\":true")},
        {E("\"color\":\"COLOR_FAR\""), E("\"color\":\"COLOR_FAR\"")},
        {E("\"color\":1,\"colors\":[77,\"COLOR_BLUE\"]"),
         E("\"color\":\"COLOR_RED\",\"colors\":[77,\"COLOR_BLUE\"]")},
    };

    TURN(lines, NULL);
}

Test(json, numbers_that_are_not_exact_are_refused)
{
#define AT "line 1, column "
    static const struct line lines[] = {
        {E("\"i32\":1.5"), AT "22: everything.i32: not an integer"},
        {E("\"i32\":1e-1"), AT "22: everything.i32: not an integer"},
        {E("\"i32\":2147483648"), AT "22: everything.i32: out of range"},
        {E("\"i32\":\"\""), AT "22: everything.i32: not an integer"},
        {E("\"i32\":\" 1\""), AT "22: everything.i32: not an integer"},
        {E("\"i32\":\"0x10\""), AT "22: everything.i32: not an integer"},
        {E("\"i32\":01"), AT "23: everything.i32: not a number"},
        {E("\"i32\":+1"), AT "22: everything.i32: not JSON"},
        {E("\"i32\":true"), AT "22: everything.i32: not an integer"},
        {E("\"i32\":[]"),
         AT "22: everything.i32: an array is not allowed here"},
        {E("\"u32\":-1"), AT "22: everything.u32: out of range"},
        {E("\"u64\":18446744073709551616"),
         AT "22: everything.u64: not an integer"},
        {E("\"i64\":9223372036854775808"),
         AT "22: everything.i64: out of range"},
        {E("\"i64\":1e99999999999"), AT "22: everything.i64: not an integer"},
        {E("\"real\":3.5e38"), AT "23: everything.real: out of range"},
        {E("\"precise\":1e400"), AT "26: everything.precise: out of range"},
        {E("\"precise\":\"inf\""), AT "26: everything.precise: not a number"},
        {E("\"precise\":NaN"), AT "26: everything.precise: not JSON"},
        {E("\"flag\":\"true\""),
         AT "23: everything.flag: neither true nor false"},
        {E("\"flag\":1"), AT "23: everything.flag: neither true nor false"},
        {E("\"color\":\"RED\""),
         AT "24: everything.color: no such name in the enum"},
        {E("\"color\":1.5"), AT "24: everything.color: neither a name nor a "
                                "number of the enum"},
    };

    TURN(lines, NULL);
}

Test(json, strings_and_bytes)
{
    static const struct line lines[] = {
        {E("\"name\":\"\\u00e4\\ud83d\\ude00\\/\\b\\f\\n\\r\\t\\\"\\\\\""),
         E("\"name\":\"\xc3\xa4\xf0\x9f\x98\x80/\\b\\f\\n\\r\\t\\\"\\\\\"")},
        {E("\"name\":\"\\u001b\x7f\\u009b\\u2028\\uFFFF\""),
         E("\"name\":\"\\u001b\\u007f\\u009b\\u2028\xef\xbf\xbf\"")},
        {E("\"name\":\"\\ud83d\""),
         AT "24: everything.name: half a surrogate pair"},
        {E("\"name\":\"\\ude00\\ud83d\""),
         AT "24: everything.name: half a surrogate pair"},
        {E("\"name\":\"\\ud83d\\u0041\""),
         AT "24: everything.name: half a surrogate pair"},
        {E("\"name\":\"a\\u0000\""),
         AT "23: everything.name: U+0000 in a string"},
        {E("\"name\":\"\\x\""), AT "24: everything.name: unknown escape"},
        {E("\"name\":\"\\u12g4\""), AT "28: everything.name: not a hex digit"},
        {E("\"name\":\"a\nb\""),
         AT "25: everything.name: control character in a string"},
        {E("\"name\":\"\xc3\""), AT "24: everything.name: invalid UTF-8"},
        {E("\"name\":5"), AT "23: everything.name: not a string"},
        {E("\"data\":\"AP+/-_\",\"blobs\":[\"\",\"AA\",\"AAA\",\"AAA=\"]"),
         E("\"data\":\"AP+/"
           "+w==\",\"blobs\":[\"\",\"AA==\",\"AAA=\",\"AAA=\"]")},
        {E("\"data\":\"-_+/\",\"blobs\":[\"\",\"AA\",\"AAA\",\"AAA=\"]"),
         E("\"data\":\"+/+/\",\"blobs\":[\"\",\"AA==\",\"AAA=\",\"AAA=\"]")},
        {E("\"data\":\"A\""), AT "23: everything.data: not base64 in a string"},
        {E("\"data\":\"A===\""),
         AT "23: everything.data: not base64 in a string"},
        {E("\"data\":\"AA=A\""),
         AT "23: everything.data: not base64 in a string"},
    };

    TURN(lines, NULL);
}

Test(json, names_of_fields)
{
    static const struct line lines[] = {
#define N(text) "{\"names\":{" text "}}"
        {N("\"snake_case_name\":1"), N("\"snakeCaseName\":1")},
        {N("\"snakeCaseName\":1"), N("\"snakeCaseName\":1")},
        {N("\"custom\":1"), N("\"chosen \\\"name\\\"\":1")},
        {N("\"chosen\\u0020\\\"name\\\"\":1"), N("\"chosen \\\"name\\\"\":1")},
        {N("\"with_2_digits\":1,\"mixedCase\":2,\"delete\":3"),
         N("\"delete\":3,\"with2Digits\":1,\"mixedCase\":2")},
        {N("\"right\":6,\"left\":7"), N("\"right\":6,\"left\":7")},
        {N("\"Delete\":1"), AT "11: names: unknown field \"Delete\""},
        {N("\"\":1"), AT "11: names: unknown field \"\""},
        {N("\"delete\":1,\"delete\":2"),
         AT "22: names.delete: the field is given twice"},
        {N("\"snakeCaseName\":null,\"snake_case_name\":2"),
         AT "32: names.snake_case_name: the field is given twice"},
    };

    TURN(lines, NULL);
}

Test(json, maps_of_every_key)
{
    static const struct line lines[] = {
#define M(text) "{\"maps\":{" text "}}"
        {M("\"i32\":{\"-5\":1,\"6\":0}"), M("\"i32\":{\"-5\":1,\"6\":0}")},
        {M("\"s64\":{\"-9223372036854775808\":\"x\"},\"f32\":{\"1\":\"AA==\"}"),
         M("\"s64\":{\"-9223372036854775808\":\"x\"},"
           "\"f32\":{\"1\":\"AA==\"}")},
        {M("\"flags\":{\"true\":false,\"false\":true}"),
         M("\"flags\":{\"true\":false,\"false\":true}")},
        {M("\"times\":{\"\":\"1970-01-01T00:00:00Z\"},\"values\":{\"a\":null}"),
         M("\"times\":{\"\":\"1970-01-01T00:00:00Z\"},"
           "\"values\":{\"a\":null}")},
        {M("\"maps\":{\"1\":{\"maps\":{}}}"), M("\"maps\":{\"1\":{}}")},
        {M("\"notAMap\":[{\"key\":\"k\"}]"),
         M("\"notAMap\":[{\"key\":\"k\"}]")},
        {M("\"notAMap\":{}"), AT "20: maps.not_a_map: not an array"},
        {M("\"i32\":[]"), AT "16: maps.i32: not an object"},
        {M("\"i32\":{\"x\":1}"), AT "17: maps.i32[\"x\"]: not an integer"},
        {M("\"i32\":{\"1\":null}"),
         AT "21: maps.i32[\"1\"]: null is not allowed here"},
        {M("\"i32\":{\"1\":1,\"2\":2,\"1.0\":3}"),
         AT "16: maps.i32: the same key twice"},
        {M("\"flags\":{\"1\":true}"),
         AT "19: maps.flags[\"1\"]: neither true nor false"},
        {M("\"values\":{\"b\":1,\"a\":2,\"\\u0061\":3}"),
         AT "19: maps.values: the same key twice"},
        {M("\"maps\":{\"7\":{\"i32\":{\"1\":\"a\"}}}"),
         AT "34: maps.maps[\"7\"].i32[\"1\"]: not an integer"},
    };

    TURN(lines, NULL);
}

Test(json, presence_and_oneofs)
{
    static const struct line lines[] = {
#define P(text) "{\"presence\":{" text "}}"
        {P("\"count\":0,\"text\":\"\",\"data\":\"\",\"flag\":false"),
         P("\"count\":0,\"text\":\"\",\"data\":\"\",\"flag\":false")},
        {P("\"size\":\"SIZE_UNSPECIFIED\",\"names\":{},\"plain\":0"),
         P("\"size\":\"SIZE_UNSPECIFIED\",\"names\":{}")},
        {P("\"count\":null,\"names\":null,\"plain\":null"), P("")},
        {P("\"number\":0"), P("\"number\":0")},
        {P("\"number\":null,\"word\":\"\""), P("\"word\":\"\"")},
        {P("\"value\":null"), P("\"value\":null")},
        {P("\"nothing\":null"), P("\"nothing\":null")},
        {P("\"nothing\":\"NULL_VALUE\""), P("\"nothing\":null")},
        {P("\"boxed\":null"), P("")},
        {P("\"boxed\":0"), P("\"boxed\":0")},
        {P("\"number\":1,\"word\":\"\""),
         AT "25: presence.word: another field of the oneof is given"},
        {P("\"nothing\":null,\"number\":1"),
         AT "29: presence.number: another field of the oneof is given"},
        {E("\"numbers\":null"), E("")},
        {E("\"numbers\":[1,null]"),
         AT "29: everything.numbers[1]: null in an array"},
        {E("\"inners\":[{},null]"),
         AT "29: everything.inners[1]: null in an array"},
        {"null", AT "1: sample.json.All: not an object"},
    };

    TURN(lines, NULL);
}

Test(json, text_that_is_not_json)
{
    static const struct line lines[] = {
        {"", AT "1: sample.json.All: the text ends too early"},
        {"{", AT "2: sample.json.All: the text ends too early"},
        {"{}x", AT "3: sample.json.All: something follows the JSON"},
        {" {\n\t}\r ", "{}"},
        {"{\"more\":[{},]}", AT "13: more[1]: not JSON"},
        {"{\"more\":[{}{}]}", AT "12: more[1]: neither , nor ] here"},
        {"{\"names\":{},}", AT "13: sample.json.All: not a name in quotes"},
        {"{\"names\" {}}", AT "10: sample.json.All: no : behind the name"},
        {"{names:{}}", AT "2: sample.json.All: not a name in quotes"},
        {"\xef\xbb\xbf{}", AT "1: sample.json.All: not JSON"},
        {"{\"names\":nul}", AT "10: names: not JSON"},
        {"{\n \"\xc3\xa4\": 1}",
         "line 2, column 2: sample.json.All: unknown field \"\xc3\xa4\""},
        {"{\"names\":{\"delete\":1", AT "21: names: the text ends too early"},
    };

    TURN(lines, NULL);
}

Test(json, unknown_fields_are_passed_over_if_asked_for)
{
    static const struct rpcrt_json_options options = {.ignore_unknown = true};
    static const struct line lines[] = {
        {N("\"x\":{\"a\":[1,\"\\n\",{\"b\":null}],\"c\":true},\"delete\":1"),
         N("\"delete\":1")},
        {N("\"x\":[1,]"), AT "18: names: not JSON"},
        {E("\"color\":\"NEW\",\"colors\":[\"NEW\",1]"),
         E("\"colors\":[\"COLOR_RED\"]")},
        {M("\"sizes\":{\"a\":\"NEW\",\"b\":\"SIZE_SMALL\"}"),
         M("\"sizes\":{\"b\":\"SIZE_SMALL\"}")},
        {E("\"i32\":\"x\""), AT "22: everything.i32: not an integer"},
    };

    TURN(lines, &options);
}

Test(json, depth_is_bounded)
{
    static char text[4096];
    struct rpcrt_json_error error;
    ProtobufCMessage *message;
    enum rpcrt_code code;
    unsigned depth;

    for (depth = 100; depth <= 101; depth++) {
        unsigned i;

        text[0] = '\0';
        for (i = 0; i < depth; i++) {
            strcat(text, "{\"more\":[");
        }
        strcat(text, "{}");
        for (i = 0; i < depth; i++) {
            strcat(text, "]}");
        }
        code =
            rpcrt_json_parse(text, strlen(text), &sample__json__all__descriptor,
                             &support_json_proto, NULL, &message, &error);
        if (depth == 100) {
            cr_assert_eq(code, RPCRT_OK, "%s", error.text);
            protobuf_c_message_free_unpacked(message, NULL);
            cr_assert_str_eq(turn(text, NULL), text);
        } else {
            cr_assert_eq(code, RPCRT_RESOURCE_EXHAUSTED);
            cr_assert_not_null(strstr(error.text, "nested too deep"));
        }
    }
}

Test(json, what_proto2_requires_must_be_there)
{
    static const char text[] = "{\"id\":\"x\"}";
    struct rpcrt_json_error error;
    ProtobufCMessage *message;

    cr_assert_eq(
        rpcrt_json_parse(text, strlen(text), &sample__v2__old__descriptor,
                         &support_sample2_proto, NULL, &message, &error),
        RPCRT_INVALID_ARGUMENT);
    cr_assert_not_null(strstr(error.text, "sample.v2.Old.point: required"));
}

Test(json, a_message_of_another_file_is_not_found)
{
    struct rpcrt_json_error error;
    ProtobufCMessage *message;

    cr_assert_eq(rpcrt_json_parse("{}", 2, &sample__json__all__descriptor,
                                  &support_sample2_proto, NULL, &message,
                                  &error),
                 RPCRT_NOT_FOUND);
    cr_assert_eq(error.code, RPCRT_NOT_FOUND);
}
