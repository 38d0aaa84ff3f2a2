/*
 * The figures as tables for people, with ratios to those compared with.
 */
#ifndef BENCH_TABLE_H
#define BENCH_TABLE_H

void table_echo(unsigned rounds, double seconds);
void table_kv(unsigned rounds, double seconds);
void table_shop(unsigned rounds, double seconds);

#endif
