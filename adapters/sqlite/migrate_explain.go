package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strings"

	"ariga.io/atlas/sql/schema"
	"modernc.org/sqlite"

	"bitbucket.org/templar/templar/adapters/internal/sqlschema"
	"bitbucket.org/templar/templar/ports"
)

// SQLite's extended result codes of rows that forbid a change.
const (
	constraintPrimaryKey = 1555
	constraintNotNull    = 1299
	constraintUnique     = 2067
)

// explain tells why a step failed, before the rollback.
func explain(ctx context.Context, conn *sql.Conn, s migrateStep, cause error) error {
	var e *sqlite.Error
	if ctx.Err() != nil || !errors.As(cause, &e) {
		return fmt.Errorf("%s: %w", s.Summary, cause)
	}
	switch e.Code() {
	case constraintNotNull:
		return fmt.Errorf("%s: %w: rows have null there; give them a value, then run the migration again; nothing was changed", s.Summary, ports.ErrSchemaBlocked)
	case constraintUnique, constraintPrimaryKey:
		return fmt.Errorf("%s: %w: %s; keep one row of each or give the others a value of their own, then run the migration again; nothing was changed",
			s.Summary, ports.ErrSchemaBlocked, duplicates(ctx, conn, s))
	}
	return fmt.Errorf("%s: %w", s.Summary, cause)
}

// duplicates names some of the values that stand in several rows.
func duplicates(ctx context.Context, conn *sql.Conn, s migrateStep) string {
	for _, x := range s.unique {
		if found := twins(ctx, conn, s.table, x); found != "" {
			return found
		}
	}
	return "rows are equal in columns that have to be unique"
}

// twins describes some rows of table that are equal in the columns of x, "" if
// there are none or it cannot tell.
func twins(ctx context.Context, conn *sql.Conn, table string, x *schema.Index) string {
	var columns []string
	for _, p := range x.Parts {
		if p.C == nil {
			return ""
		}
		if _, secret := p.C.Type.Type.(*schema.BinaryType); secret {
			return ""
		}
		columns = append(columns, sqlschema.Ident(p.C.Name))
	}
	list := strings.Join(columns, ", ")
	rows, err := conn.QueryContext(ctx, fmt.Sprintf(`SELECT substr(%s, 1, 120), count(*) FROM %s GROUP BY %s HAVING count(*) > 1 ORDER BY %s LIMIT 5`,
		strings.Join(columns, " || ', ' || "), sqlschema.Ident(table), list, list))
	if err != nil {
		return ""
	}
	defer func() { _ = rows.Close() }()
	var found []string
	for rows.Next() {
		var value sql.NullString
		var n int
		if rows.Scan(&value, &n) != nil {
			return ""
		}
		if value.Valid {
			found = append(found, fmt.Sprintf("%s (%d rows)", value.String, n))
		}
	}
	if rows.Err() != nil || len(found) == 0 {
		return ""
	}
	return fmt.Sprintf("the same %s stands in several rows of table %q: %s", list, table, strings.Join(found, ", "))
}
