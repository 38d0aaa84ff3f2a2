/*
 * Requests from the command line. Items make a tree of names with JSON at its
 * leaves, which is written as one text; whether that fits the message is said
 * by reading it.
 *
 *   id=7 owner.name=Ann tags[]=a tags[]=b price:=240
 *   {"id":"7","owner":{"name":"Ann"},"tags":["a","b"],"price":240}
 */
#include "rpcctl.h"

#include <stdlib.h>
#include <string.h>

struct node {
    struct node *next;  /* beside it */
    struct node *inner; /* below it, the first */
    const char *name;   /* not ended; NULL in an array */
    size_t name_size;
    const char *value; /* of a leaf */
    bool is_text;      /* not JSON */
    bool is_array;
};

#define NODES_MAX 4096u

/* One for every part of every name. */
struct tree {
    struct node nodes[NODES_MAX];
    size_t n_nodes;
};

/* -- the tree -------------------------------------------------------------- */

static struct node *
node_add(struct tree *tree, struct node *parent)
{
    struct node **end = &parent->inner;

    if (tree->n_nodes == NODES_MAX) {
        return NULL;
    }
    while (*end != NULL) {
        end = &(*end)->next;
    }
    *end = &tree->nodes[tree->n_nodes++];
    return *end;
}

/* The member of that name, which is made if it is not there. */
static struct node *
member(struct tree *tree, struct node *parent, const char *name, size_t size)
{
    struct node *node;

    for (node = parent->inner; node != NULL; node = node->next) {
        if (node->name != NULL && node->name_size == size &&
            memcmp(node->name, name, size) == 0) {
            return node;
        }
    }
    node = node_add(tree, parent);
    if (node != NULL) {
        node->name = name;
        node->name_size = size;
    }
    return node;
}

/* Where an item's value goes: "a.b" or "a.list[]". NULL: it can't. */
static struct node *
place(struct tree *tree, const char *name, size_t size)
{
    struct node *node = &tree->nodes[0];
    bool in_array = size > 2 && memcmp(name + size - 2, "[]", 2) == 0;

    size -= in_array ? 2 : 0;
    while (node != NULL) {
        const char *dot = memchr(name, '.', size);
        size_t part = dot != NULL ? (size_t)(dot - name) : size;

        if (part == 0 || node->value != NULL || node->is_array) {
            return NULL;
        }
        node = member(tree, node, name, part);
        if (dot == NULL) {
            break;
        }
        name += part + 1;
        size -= part + 1;
    }
    if (node == NULL || node->value != NULL) {
        return NULL;
    }
    if (in_array && (node->inner == NULL || node->is_array)) {
        node->is_array = true;
        node = node_add(tree, node);
    }
    return node == NULL || node->inner != NULL ? NULL : node;
}

static bool
item_add(const struct cli *cli, struct tree *tree, const char *item)
{
    size_t length = strcspn(item, "=");
    bool is_json = length > 0 && item[length] == '=' && item[length - 1] == ':';
    struct node *node = item[length] == '='
                            ? place(tree, item, length - (is_json ? 1 : 0))
                            : NULL;

    if (node == NULL) {
        (void)cli_usage(cli,
                        "'%s': expected JSON, @FILE, or items like name=text, "
                        "a.b:=5, each name once",
                        item);
        return false;
    }
    node->value = item + length + 1;
    node->is_text = !is_json;
    return true;
}

/* -- writing --------------------------------------------------------------- */

static void
write_text(FILE *out, const char *text, size_t size)
{
    size_t i;

    (void)fputc('"', out);
    for (i = 0; i < size; i++) {
        unsigned char c = (unsigned char)text[i];

        if (c == '"' || c == '\\') {
            (void)fprintf(out, "\\%c", c);
        } else if (c < 0x20) {
            (void)fprintf(out, "\\u%04x", c);
        } else {
            (void)fputc(c, out);
        }
    }
    (void)fputc('"', out);
}

/* Names are as deep as an argument is long; a message is less. */
static void
write_node(FILE *out, const struct node *node, unsigned depth)
{
    const struct node *inner;

    if (node->value != NULL) {
        if (node->is_text) {
            write_text(out, node->value, strlen(node->value));
        } else {
            (void)fputs(node->value, out);
        }
        return;
    }
    (void)fputc(node->is_array ? '[' : '{', out);
    for (inner = node->inner; inner != NULL && depth < RPCRT_MESSAGE_DEPTH_MAX;
         inner = inner->next) {
        if (inner != node->inner) {
            (void)fputc(',', out);
        }
        if (inner->name != NULL) {
            write_text(out, inner->name, inner->name_size);
            (void)fputc(':', out);
        }
        write_node(out, inner, depth + 1);
    }
    (void)fputc(node->is_array ? ']' : '}', out);
}

static bool
items_read(const struct cli *cli, int argc, char **argv,
           struct cli_bytes *ret_text, int *ret_exit)
{
    struct tree *tree = calloc(1, sizeof *tree);
    char *text = NULL;
    size_t size = 0;
    FILE *out = NULL;
    bool done = tree != NULL;
    int i;

    *ret_exit = CLI_EXIT_USAGE;
    if (done) {
        tree->n_nodes = 1;
        for (i = 0; i < argc && done; i++) {
            done = item_add(cli, tree, argv[i]);
        }
        out = done ? open_memstream(&text, &size) : NULL;
    }
    if (out != NULL) {
        write_node(out, &tree->nodes[0], 0);
        done = fclose(out) == 0;
        *ret_text = (struct cli_bytes){(uint8_t *)text, size};
    } else if (tree == NULL || done) {
        *ret_exit = cli_fail(cli, "out of memory");
        done = false;
    }
    free(tree);
    return done;
}

/* -- requests -------------------------------------------------------------- */

bool
rpcctl_body_read(const struct cli *cli, int argc, char **argv,
                 struct cli_bytes *ret_text, int *ret_exit)
{
    const char *first = argc == 1 ? argv[0] : "";

    if (strcmp(first, "@-") == 0 || strcmp(first, "-") == 0) {
        *ret_exit = CLI_EXIT_FAILED;
        return cli_value(cli, "-", RPCCTL_REQUEST_SIZE_MAX, ret_text);
    }
    if (first[0] == '@' || first[strspn(first, " \t\n")] == '{') {
        *ret_exit = CLI_EXIT_FAILED;
        return cli_value(cli, first, RPCCTL_REQUEST_SIZE_MAX, ret_text);
    }
    return items_read(cli, argc, argv, ret_text, ret_exit);
}

bool
rpcctl_body_parse(const struct cli *cli, const ProtobufCMessageDescriptor *type,
                  const struct rpcrt_file *file, const char *where,
                  const char *text, size_t size, ProtobufCMessage **ret_message,
                  int *ret_exit)
{
    struct rpcrt_json_error error;

    if (rpcrt_json_parse(text, size, type, file, NULL, ret_message, &error) ==
        RPCRT_OK) {
        return true;
    }
    (void)cli_fail(cli, "%s: %s", where, error.text);
    *ret_exit = CLI_EXIT_USAGE;
    return false;
}
