package postgres

import (
	"context"
	"database/sql/driver"
	"errors"
	"io"
	"net"
	"strings"
	"syscall"
	"time"

	"github.com/lib/pq"
	"github.com/lib/pq/pqerror"

	"bitbucket.org/templar/templar/adapters/internal/sqlstore"
	"bitbucket.org/templar/templar/core/fault"
)

// dialect is all that PostgreSQL does in its own way.
var dialect = sqlstore.Dialect{
	Engine: sqlstore.EnginePostgres,
	Time: func(t time.Time) any {
		if text := infinite(t); text != "" {
			return text
		}
		return t
	},
	// One statement is one round trip. The row is locked and looked at again before anything is written, so of two
	// that want to replace one revision the second finds nothing. The UPDATE reads its row through the lock, never
	// past it.
	Replace: []string{`WITH was AS (
	SELECT templateid, revision, COALESCE(name, '') AS name, COALESCE(description, '') AS description,
		COALESCE(content, '') AS content, syntax, author, modified
	FROM templates WHERE templateid = $1 AND revision = $2 AND deleted IS NULL FOR UPDATE
), kept AS (
	INSERT INTO template_revisions (templateid, revision, name, description, content, syntax, author, modified)
	SELECT templateid, revision, name, description, content, syntax, author, modified FROM was
)
UPDATE templates SET name = $3, description = $4, content = $5, syntax = $6, revision = $7, author = $8, modified = $9,
	word_hashes = $10
FROM was WHERE templates.templateid = was.templateid AND templates.templateid = $1`},
	LockClaim: `SELECT pg_try_advisory_xact_lock($1)`,
	LockRow:   ` FOR UPDATE`,
	LockFree:  ` FOR UPDATE SKIP LOCKED`,
	Rows:      arrays,
	Among:     `%s = ANY(ARRAY(%s))`,
	Lanes:     sqlstore.Lanes{Reads: 4, Creations: 2, Pages: 2},
	// From this the planner also learns how rare the prefix is: of the keys of partial indexes it does not know it.
	StartsWith:   `name ^@ %s`,
	Words:        words,
	Characters:   characterSearch,
	CompareRows:  true,
	PageBound:    true,
	PlanFiltered: true,
	Ready:        []string{`SELECT ` + sqlstore.WordsFunction + `('') LIMIT 0`},
	Agree:        agree,
	Fault:        faultOf,
	Duplicate:    func(err error) bool { return codeOf(err) == pqerror.UniqueViolation },
	Outdated: func(err error) bool {
		code := codeOf(err)
		return code == pqerror.InvalidSQLStatementName ||
			code == pqerror.FeatureNotSupported && strings.Contains(err.Error(), "cached plan")
	},
}

// infinite is PostgreSQL's word for a time that stands for one without end; "" for any other.
func infinite(t time.Time) string {
	switch {
	case t.Equal(sqlstore.InfiniteFuture):
		return "infinity"
	case t.Equal(sqlstore.InfinitePast):
		return "-infinity"
	}
	return ""
}

func codeOf(err error) pqerror.Code {
	var e *pq.Error
	if errors.As(err, &e) {
		return e.Code
	}
	return ""
}

// faultOf tells by the SQLSTATE (PostgreSQL manual, appendix A) or the driver's error what went wrong.
func faultOf(err error) error {
	switch code := codeOf(err); code {
	case "":
		var network net.Error
		if errors.As(err, &network) || errors.Is(err, driver.ErrBadConn) || errors.Is(err, errLost) || errors.Is(err, errAlone) || errors.Is(err, errNoHost) || broken(err) ||
			errors.Is(err, context.DeadlineExceeded) || errors.Is(err, context.Canceled) || refused(err) {
			return sqlstore.ErrAway(err)
		}
	case pqerror.UndefinedTable, pqerror.UndefinedColumn, pqerror.UndefinedFunction:
		return sqlstore.ErrNoSchema(err)
	case pqerror.DiskFull:
		return sqlstore.ErrFull(err)
	case pqerror.ReadOnlySQLTransaction:
		return sqlstore.ErrReadOnly(err)
	case pqerror.QueryCanceled, pqerror.LockNotAvailable, pqerror.TRSerializationFailure, pqerror.TRDeadlockDetected,
		pqerror.OutOfMemory, pqerror.IdleInTransactionSessionTimeout:
		return sqlstore.ErrBusy(err)
	case pqerror.CharacterNotInRepertoire, pqerror.UntranslatableCharacter:
		return fault.Wrap(fault.Malformed, err, "a text must be valid UTF-8 without NUL")
	case pqerror.InvalidCatalogName:
		return sqlstore.ErrAway(err) // no such database yet
	default:
		switch code.Class() {
		// Connection exceptions, refused credentials, too many connections, shutting down or starting, disk errors.
		case "08", "28", "53", "57", "58":
			return sqlstore.ErrAway(err)
		}
	}
	return sqlstore.ErrUnexpected(err)
}

// broken holds for what lib/pq hands on of a connection that somebody has cut, such as a proxy.
func broken(err error) bool {
	return errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, syscall.ECONNRESET) ||
		errors.Is(err, syscall.EPIPE) || errors.Is(err, net.ErrClosed)
}

// refused holds for a host that does not take writes where one is sought that does, or has no TLS where that is
// demanded; lib/pq has no type for the first.
func refused(err error) bool {
	return strings.Contains(err.Error(), "session is read-only") || errors.Is(err, pq.ErrSSLNotSupported)
}
