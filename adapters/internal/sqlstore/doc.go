// Package sqlstore is what the stores on SQL databases have in common: their statements, how rows are read, and how
// statements are prepared, timed and tried again. What differs between the engines stands in one value, the Dialect.
//
// Every statement takes its parameters as $1, $2 and so on, which both engines read.
package sqlstore
