//go:build race

package sqlite

// manyRows is less than without the race detector, which makes SQLite in Go ten times slower. Its plans do not depend on it.
const manyRows = 20_000
