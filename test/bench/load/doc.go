// Package load runs the load generators of the benchmarks, wrk and pgbench, and reads what they tell. Anything that
// went wrong under load is an error: a fast failure is no result.
package load
