// Package memory implements every port of Templar inside the process: nothing is written to disk, and nothing is
// shared with another process. It serves three ends: DB_ENGINE=memory, the cache and the limits of a service that has
// no Redis, and the integration tests of other teams, which can build a whole template.Service without a server (see
// the example).
//
// All types are safe for concurrent use, honour their contexts, and share no memory with their callers except where a
// port says so. They keep the same promises as the databases (test/contract proves it), but for durability: what they
// hold ends with the process.
//
//	NewTemplates   template.Database
//	NewCharacters  character.Store
//	NewKeys        auth.KeyStore
//	NewDirectory   auth.Directory
//	NewCache       ports.Cache
//	NewLimiter     ports.Limiter
//
// Templates, Characters, Keys and Directory are ports.Probes too.
package memory

import (
	"context"

	"bitbucket.org/templar/templar/core/auth"
	"bitbucket.org/templar/templar/core/character"
	"bitbucket.org/templar/templar/core/fault"
	"bitbucket.org/templar/templar/core/template"
	"bitbucket.org/templar/templar/ports"
)

var (
	_ template.Database = (*Templates)(nil)
	_ character.Store   = (*Characters)(nil)
	_ auth.KeyStore     = (*Keys)(nil)
	_ auth.Directory    = (*Directory)(nil)
	_ ports.Cache       = (*Cache)(nil)
	_ ports.Limiter     = (*Limiter)(nil)
	_ ports.Probe       = (*Templates)(nil)
	_ ports.Probe       = (*Characters)(nil)
	_ ports.Probe       = (*Keys)(nil)
	_ ports.Probe       = (*Directory)(nil)
)

// ended gives the fault of a context that has ended, nil while it goes on.
func ended(ctx context.Context) error {
	if err := ctx.Err(); err != nil {
		return fault.Wrap(fault.Unavailable, err, "the request ended before it was served")
	}
	return nil
}
