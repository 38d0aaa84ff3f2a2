/*
 * The figures as tables for people, with ratios to those compared with.
 */
#ifndef BENCH_TABLE_H
#define BENCH_TABLE_H

/* A figure with a blank in front; "-" where there is none. */
void table_value(const char *bench, const char *metric, unsigned depth,
                 const char *subject, int width, int decimals);

/* How many times that of another, in the same form. */
void table_ratio(const char *bench, const char *metric, unsigned depth,
                 const char *subject, const char *base);

void table_echo(unsigned rounds, double seconds);
void table_kv(unsigned rounds, double seconds);
void table_shop(unsigned rounds, double seconds);

#endif
