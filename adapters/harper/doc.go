// Package harper keeps Templar's data in Harper, through its Operations API over HTTP. It implements
// template.Database, character.Store, auth.KeyStore, ports.Migrator and ports.Probe.
//
// Harper changes one table at a time and has no conditional update that holds under concurrent clients. So the
// promises of the ports are kept by the process that writes, and only one may:
//
//   - One process. Who writes holds a lease: a row that it renews every 3 seconds (see lease). A second process is
//     refused while the row is renewed. After a crash the row stands still, and is taken over after 12 seconds.
//   - One writer for each id. Inside the process a change takes the locks of the ids that it touches; a batch, which
//     touches many, has all to itself.
//   - One journal. A change of several rows is first written as one row that says all of it; that insert is what
//     commits it. Then it is carried out, and the row removed. Every step can be repeated, so whatever a crash leaves
//     behind is carried out by whoever holds the lease next, before anything else.
//
// A change that has begun goes on when its caller's context ends, for up to 30 seconds: cutting the connection would
// not stop Harper, and the outcome would be unknown.
//
// What is left open: a process that is stopped for longer than the lease in the middle of a request may have that one
// request land after another process has taken over; and whoever writes the rows by other means is not seen.
//
// What lists need beyond the described attributes stands in attributes named after the described indexes: a text of
// the sort key and the id (sortkeys.go), null in rows that the index leaves out. Numbers that matter and all times are
// texts, because Harper's integers lose precision above 2^53.
package harper

import (
	"bitbucket.org/templar/templar/core/auth"
	"bitbucket.org/templar/templar/core/character"
	"bitbucket.org/templar/templar/core/template"
	"bitbucket.org/templar/templar/ports"
)

var (
	_ template.Database = (*Templates)(nil)
	_ character.Store   = (*Characters)(nil)
	_ auth.KeyStore     = (*Keys)(nil)
	_ ports.Migrator    = (*Migrator)(nil)
	_ ports.Probe       = (*DB)(nil)
)
