/*
 * The bench "stream": one stream of messages in either direction.
 */
#ifndef BENCH_STREAM_BENCH_H
#define BENCH_STREAM_BENCH_H

/** Measure, and keep the results: bench "stream", depth: bytes of a message. */
void stream_bench(const char *programs, double seconds, unsigned rounds);

/** Print them. */
void table_stream(unsigned rounds, double seconds);

#endif
