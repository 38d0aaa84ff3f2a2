/*
 * The figures as tables for people, with ratios to those compared with.
 */
#ifndef BENCH_TABLE_H
#define BENCH_TABLE_H

/* A figure with a blank in front; "-" where there is none. */
void table_value(const char *bench, const char *metric, unsigned depth,
                 const char *subject, int width, int decimals);

void table_echo(unsigned rounds, double seconds);
void table_kv(unsigned rounds, double seconds);
void table_shop(unsigned rounds, double seconds);

#endif
