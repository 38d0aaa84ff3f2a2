/*
 * Reading a card: see card.h.
 */
#include "card.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

/* "MM/YY" or "MM/YYYY". Which months and years there are, the server knows. */
static bool
expiry_read(const char *text, uint32_t *ret_month, uint32_t *ret_year)
{
    size_t length = strlen(text);
    size_t i;

    if ((length != 5 && length != 7) || text[2] != '/') {
        return false;
    }
    for (i = 0; i < length; i++) {
        if (i != 2 && !isdigit((unsigned char)text[i])) {
            return false;
        }
    }
    *ret_month = (uint32_t)strtoul(text, NULL, 10);
    *ret_year = (uint32_t)strtoul(text + 3, NULL, 10);
    *ret_year += length == 5 ? 2000 : 0;
    return true;
}

int
card_read(const struct cli *cli, const char *number, const char *expiry,
          struct card *ret_card)
{
    struct cli_bytes bytes = {NULL, 0};
    size_t length;

    if (expiry != NULL &&
        !expiry_read(expiry, &ret_card->expiry_month, &ret_card->expiry_year)) {
        return cli_usage(cli, "--expiry %s: expected MM/YY", expiry);
    }
    if (!cli_value(cli, number, CARD_NUMBER_SIZE - 1, &bytes)) {
        return CLI_EXIT_FAILED;
    }
    length = bytes.size < CARD_NUMBER_SIZE ? bytes.size : 0;
    memcpy(ret_card->number, bytes.data, length);
    ret_card->number[length] = '\0';
    ret_card->number[strcspn(ret_card->number, "\r\n")] = '\0';
    explicit_bzero(bytes.data, bytes.size);
    free(bytes.data);
    if (ret_card->number[0] == '\0') {
        return cli_usage(cli, "no card number");
    }
    return 0;
}

void
card_clear(struct card *card)
{
    explicit_bzero(card, sizeof(*card));
}
