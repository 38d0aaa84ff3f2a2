/*
 * The well-known types in JSON, both ways; how printing can be changed; and
 * that every allocation may fail.
 */
#include <rpcrt/json.h>

#include "google/protobuf/any.pb-c.h"
#include "google/protobuf/struct.pb-c.h"
#include "google/protobuf/timestamp.pb-c.h"
#include "support/json.rpc.h"
#include "support/sample.rpc.h"

#include <criterion/criterion.h>
#include <rpcrt/gen.h>
#include <stdlib.h>
#include <string.h>

static char shown[4096];

/* A text of Known as rpcrt writes it after it was read, or the error. */
static const char *
turn(const char *text)
{
    struct rpcrt_json_error error;
    ProtobufCMessage *message;
    char *back;

    if (rpcrt_json_parse(text, strlen(text), &sample__json__known__descriptor,
                         &support_json_proto, NULL, &message,
                         &error) != RPCRT_OK) {
        return strcpy(shown, error.text);
    }
    cr_assert_eq(rpcrt_json_print(message, &support_json_proto, NULL, &back,
                                  NULL, &error),
                 RPCRT_OK, "%s: %s", text, error.text);
    cr_assert_lt(strlen(back), sizeof shown);
    (void)strcpy(shown, back);
    free(back);
    protobuf_c_message_free_unpacked(message, NULL);
    return shown;
}

/* Expects the text itself where `expected` is NULL. */
static void
turns_to(const char *text, const char *expected)
{
    expected = expected != NULL ? expected : text;
    cr_expect_str_eq(turn(text), expected, "%s\n gives %s\n not   %s", text,
                     shown, expected);
}

static void
is_refused(const char *text, const char *reason)
{
    cr_expect_not_null(strstr(turn(text), reason), "%s\n gives %s", text,
                       shown);
}

Test(json_known, timestamps)
{
    turns_to("{\"timestamp\":\"0001-01-01T00:00:00Z\"}", NULL);
    turns_to("{\"timestamp\":\"9999-12-31T23:59:59.999999999Z\"}", NULL);
    turns_to("{\"timestamp\":\"2024-02-29T12:00:00.1Z\"}",
             "{\"timestamp\":\"2024-02-29T12:00:00.100Z\"}");
    turns_to("{\"timestamp\":\"1969-12-31T23:30:00.000001-01:30\"}",
             "{\"timestamp\":\"1970-01-01T01:00:00.000001Z\"}");
    turns_to("{\"timestamp\":\"2000-03-01T00:00:00+00:01\"}",
             "{\"timestamp\":\"2000-02-29T23:59:00Z\"}");
    is_refused("{\"timestamp\":\"0001-01-01T00:00:00+00:01\"}", "not a time");
    is_refused("{\"timestamp\":\"0000-12-31T00:00:00Z\"}", "not a time");
    is_refused("{\"timestamp\":\"1900-02-29T00:00:00Z\"}", "not a time");
    is_refused("{\"timestamp\":\"2023-13-01T00:00:00Z\"}", "not a time");
    is_refused("{\"timestamp\":\"2023-12-32T00:00:00Z\"}", "not a time");
    is_refused("{\"timestamp\":\"2023-01-01T24:00:00Z\"}", "not a time");
    is_refused("{\"timestamp\":\"2023-01-01T00:00:60Z\"}", "not a time");
    is_refused("{\"timestamp\":\"2023-01-01t00:00:00Z\"}", "not a time");
    is_refused("{\"timestamp\":\"2023-01-01T00:00:00\"}", "not a time");
    is_refused("{\"timestamp\":\"2023-01-01T00:00:00.Z\"}", "not a time");
    is_refused("{\"timestamp\":\"2023-01-01T00:00:00.1234567890Z\"}",
               "not a time");
    is_refused("{\"timestamp\":1}", "timestamp: not a string");
}

Test(json_known, durations)
{
    turns_to("{\"duration\":\"0s\"}", NULL);
    turns_to("{\"duration\":\"-0.500s\"}", NULL);
    turns_to("{\"duration\":\"1.000000001s\"}", NULL);
    turns_to("{\"duration\":\"-315576000000s\"}", NULL);
    turns_to("{\"duration\":\"3.0s\"}", "{\"duration\":\"3s\"}");
    is_refused("{\"duration\":\"315576000001s\"}", "not a duration");
    is_refused("{\"duration\":\"1\"}", "not a duration");
    is_refused("{\"duration\":\"s\"}", "not a duration");
    is_refused("{\"duration\":\".5s\"}", "not a duration");
    is_refused("{\"duration\":\"+1s\"}", "not a duration");
    is_refused("{\"duration\":\"1s \"}", "not a duration");
}

Test(json_known, wrappers_and_field_masks)
{
    turns_to("{\"real\":1.5,\"i64\":\"-1\",\"flag\":false,\"text\":\"\"}",
             NULL);
    turns_to("{\"u64\":5,\"data\":\"AA\"}",
             "{\"u64\":\"5\",\"data\":\"AA==\"}");
    turns_to("{\"i32\":null,\"boxes\":[0,1]}", "{\"boxes\":[0,1]}");
    is_refused("{\"boxes\":[null]}", "boxes[0]: null");
    is_refused("{\"i32\":{\"value\":1}}", "i32: an object is not allowed");
    turns_to("{\"mask\":\"fooBar.baz,x\"}", NULL);
    turns_to("{\"mask\":\"\"}", NULL);
    is_refused("{\"mask\":\"foo_bar\"}", "not paths");
    is_refused("{\"mask\":\"a,,b\"}", "not paths");
    is_refused("{\"mask\":\"a,\"}", "not paths");
}

Test(json_known, values_of_any_shape)
{
    turns_to("{\"object\":{\"a\":{\"b\":[1,\"x\",true,null,[],{}]}}}", NULL);
    turns_to("{\"value\":null,\"values\":[null,1.5]}", NULL);
    turns_to("{\"list\":[[[]]],\"empty\":{}}", NULL);
    turns_to("{\"list\":null,\"object\":null}", "{}");
    turns_to("{\"nothings\":[null,\"NULL_VALUE\"]}",
             "{\"nothings\":[null,null]}");
    is_refused("{\"value\":1e400}", "value: out of range");
    is_refused("{\"list\":{}}", "list: not an array");
    is_refused("{\"empty\":{\"a\":1}}", "empty: unknown field \"a\"");
}

#define URL "\"@type\":\"type.googleapis.com/"

Test(json_known, anys_of_types_that_the_file_knows)
{
    turns_to("{\"any\":{" URL "sample.json.Names\",\"delete\":1}}", NULL);
    turns_to("{\"any\":{\"delete\":1," URL "sample.json.Names\"}}",
             "{\"any\":{" URL "sample.json.Names\",\"delete\":1}}");
    turns_to("{\"any\":{" URL "google.protobuf.Duration\",\"value\":\"1s\"}}",
             NULL);
    turns_to("{\"any\":{\"value\":null," URL "google.protobuf.Value\"}}",
             "{\"any\":{" URL "google.protobuf.Value\",\"value\":null}}");
    turns_to("{\"any\":{" URL "google.protobuf.Any\",\"value\":{" URL
             "sample.v1.Inner\",\"key\":\"k\"}}}",
             NULL);
    turns_to("{\"any\":{" URL "google.protobuf.Empty\"}}", NULL);
    turns_to("{\"any\":{},\"anys\":[{}]}", NULL);
    is_refused("{\"any\":{\"delete\":1}}", "any: an Any without an \"@type\"");
    is_refused("{\"any\":{\"@type\":5}}", "any: an Any without an \"@type\"");
    is_refused("{\"any\":{" URL "no.Such\"}}", "any: an Any of unknown");
    is_refused("{\"any\":{\"@type\":\"sample.json.Names\"}}",
               "any: an Any of unknown");
    is_refused("{\"any\":{" URL "google.protobuf.Duration\"}}",
               "any: an Any without its \"value\"");
    is_refused("{\"any\":{" URL
               "google.protobuf.Duration\",\"value\":\"1s\",\"x\":1}}",
               "any: not \"@type\" and one \"value\"");
    is_refused("{\"any\":{" URL "sample.json.Names\",\"x\":1}}",
               "any: unknown field \"x\"");
    is_refused("{\"any\":[]}", "any: not an object");
}

static const char *
print(const void *message, const struct rpcrt_json_options *options)
{
    struct rpcrt_json_error error;
    char *text;

    if (rpcrt_json_print(message, &support_json_proto, options, &text, NULL,
                         &error) != RPCRT_OK) {
        return strcpy(shown, error.text);
    }
    (void)strcpy(shown, text);
    free(text);
    return shown;
}

Test(json_known, what_json_has_no_form_for_is_not_printed)
{
    static char url[] = "type.googleapis.com/no.Such";
    static char path[] = "fooBar";
    static char broken[] = "\xc3";
    Google__Protobuf__Timestamp timestamp;
    Google__Protobuf__Value value;
    Google__Protobuf__Any any;

    google__protobuf__timestamp__init(&timestamp);
    timestamp.nanos = 1000000000;
    cr_assert_str_eq(print(&timestamp, NULL),
                     "google.protobuf.Timestamp: out of range");
    google__protobuf__value__init(&value);
    value.kind_case = GOOGLE__PROTOBUF__VALUE__KIND_NUMBER_VALUE;
    value.number_value = 1e308 * 10;
    cr_assert_str_eq(print(&value, NULL), "google.protobuf.Value: a number "
                                          "that JSON does not have");
    value.kind_case = GOOGLE__PROTOBUF__VALUE__KIND_STRING_VALUE;
    value.string_value = broken;
    cr_assert_str_eq(print(&value, NULL),
                     "google.protobuf.Value: a string that is not UTF-8");
    google__protobuf__any__init(&any);
    any.type_url = url;
    cr_assert_str_eq(print(&any, NULL), "google.protobuf.Any: no type "
                                        "\"type.googleapis.com/no.Such\"");
    any.type_url = path;
    cr_assert_str_eq(print(&any, NULL),
                     "google.protobuf.Any: no type \"fooBar\"");
}

Test(json_known, a_map_value_that_is_missing_is_an_empty_one)
{
    static const uint8_t bytes[] = "\x3a\x03\x0a\x01t\x42\x03\x0a\x01v";
    Sample__Json__Maps *maps =
        sample__json__maps__unpack(NULL, sizeof bytes - 1, bytes);

    cr_assert_not_null(maps);
    cr_assert_str_eq(print(maps, NULL),
                     "{\"times\":{\"t\":\"1970-01-01T00:00:00Z\"},"
                     "\"values\":{\"v\":null}}");
    sample__json__maps__free_unpacked(maps, NULL);
}

Test(json_known, options_of_printing)
{
    static char pin[] = "1234";
    struct rpcrt_json_options options = {.pretty = true};
    Sample__V1__Secret secret;
    Sample__V1__Inner inner;
    Sample__Json__Presence presence;
    Sample__Json__Names names;

    sample__json__names__init(&names);
    cr_assert_str_eq(print(&names, &options), "{}");
    names.snake_case_name = 1;
    names.custom = 2;
    cr_assert_str_eq(
        print(&names, &options),
        "{\n  \"snakeCaseName\": 1,\n  \"chosen \\\"name\\\"\": 2\n}");
    options.pretty = false;
    options.proto_names = true;
    cr_assert_str_eq(print(&names, &options),
                     "{\"snake_case_name\":1,\"custom\":2}");
    sample__json__presence__init(&presence);
    options.emit_defaults = true;
    cr_assert_str_eq(print(&presence, &options), "{\"plain\":0}");
    sample__json__presence__set_size(&presence, 5);
    options.emit_defaults = false;
    options.enum_numbers = true;
    cr_assert_str_eq(print(&presence, &options), "{\"size\":5}");
    sample__v1__secret__init(&secret);
    secret.pin = pin;
    secret.hint = pin;
    sample__v1__inner__init(&inner);
    inner.secret = &secret;
    cr_assert_str_eq(print(&inner, NULL),
                     "{\"secret\":{\"pin\":\"1234\",\"hint\":\"1234\"}}");
    options.redact = true;
    cr_assert_str_eq(print(&inner, &options),
                     "{\"secret\":{\"pin\":\"[redacted]\",\"hint\":\"1234\"}}");
}

/* -- memory ---------------------------------------------------------------- */

struct budget {
    unsigned left;
    int live;
};

static void *
budget_alloc(void *arg, size_t size)
{
    struct budget *budget = arg;

    if (budget->left == 0) {
        return NULL;
    }
    budget->left--;
    budget->live++;
    return malloc(size);
}

static void
budget_free(void *arg, void *block)
{
    struct budget *budget = arg;

    budget->live -= block != NULL;
    free(block);
}

Test(json_known, every_allocation_may_fail)
{
    static const char text[] =
        "{\"any\":{\"x\":1," URL "sample.json.Maps\",\"i32\":{\"1\":1,\"2\":2},"
        "\"times\":{\"\\u0061\":\"1970-01-01T00:00:00Z\"}},"
        "\"list\":[\"a\\n\",null,{\"k\":[1,2,3]}],\"mask\":\"aB\"}";
    struct budget budget = {0, 0};
    ProtobufCAllocator allocator = {budget_alloc, budget_free, &budget};
    struct rpcrt_json_options options = {.ignore_unknown = true,
                                         .allocator = &allocator};
    struct rpcrt_json_error error;
    enum rpcrt_code code = RPCRT_RESOURCE_EXHAUSTED;
    ProtobufCMessage *message = NULL;
    char *back = NULL;
    unsigned n;

    for (n = 0; code != RPCRT_OK; n++) {
        budget.left = n;
        code = rpcrt_json_parse(
            text, strlen(text), &sample__json__known__descriptor,
            &support_json_proto, &options, &message, &error);
        if (code != RPCRT_OK) {
            cr_assert_eq(code, RPCRT_RESOURCE_EXHAUSTED, "%s", error.text);
            cr_assert_not_null(strstr(error.text, "no memory"), "%s",
                               error.text);
            cr_assert_eq(budget.live, 0);
        }
    }
    cr_assert_gt(n, 20);
    code = RPCRT_RESOURCE_EXHAUSTED;
    for (n = 0; code != RPCRT_OK; n++) {
        int live = budget.live;

        budget.left = n;
        code = rpcrt_json_print(message, &support_json_proto, &options, &back,
                                NULL, &error);
        if (code != RPCRT_OK) {
            cr_assert_eq(code, RPCRT_RESOURCE_EXHAUSTED, "%s", error.text);
            cr_assert_eq(budget.live, live);
        }
    }
    cr_assert_gt(n, 5);
    budget_free(&budget, back);
    protobuf_c_message_free_unpacked(message, &allocator);
    cr_assert_eq(budget.live, 0);
}
