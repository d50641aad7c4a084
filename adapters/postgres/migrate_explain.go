package postgres

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"ariga.io/atlas/sql/schema"
	"github.com/lib/pq"

	"bitbucket.org/templar/templar/adapters/internal/sqlschema"

	"bitbucket.org/templar/templar/ports"
)

// explainTimeout bounds the look at the rows that stopped a migration.
const explainTimeout = time.Minute

// migrateErr is the context's error where that is why a statement failed: the driver
// answers with the server's word for a cancelled one.
func migrateErr(ctx context.Context, err error) error {
	if ctx.Err() != nil && !errors.Is(err, ctx.Err()) {
		return fmt.Errorf("%w (%w)", ctx.Err(), err)
	}
	return err
}

// explain tells why a step failed, after the rollback.
func (m *Migrator) explain(ctx context.Context, s migrateStep, cause error) error {
	if ctx.Err() != nil {
		return fmt.Errorf("%s: %w", s.Summary, migrateErr(ctx, cause))
	}
	var e *pq.Error
	if !errors.As(cause, &e) {
		return fmt.Errorf("%s: %w", s.Summary, cause)
	}
	switch {
	case e.Code == "23505" && s.unique != nil:
		return fmt.Errorf("%s: %w: %s; nothing was changed", s.Summary, ports.ErrSchemaBlocked, m.duplicates(ctx, s, e))
	case e.Code == "23502":
		return fmt.Errorf("%s: %w: rows have null in column %q; give them a value, then run the migration again; nothing was changed",
			s.Summary, ports.ErrSchemaBlocked, e.Column)
	case e.Code.Class() == "22" || e.Code.Class() == "23" || e.Code == "42804":
		return fmt.Errorf("%s: %w: %s; nothing was changed", s.Summary, ports.ErrSchemaBlocked, e.Message)
	}
	return fmt.Errorf("%s: %w", s.Summary, cause)
}

// duplicates names some of the values that stand in several rows.
func (m *Migrator) duplicates(ctx context.Context, s migrateStep, e *pq.Error) string {
	unknown := fmt.Sprintf("some rows are equal in the columns of index %q; keep one of each, then run the migration again", s.unique.Name)
	var columns, shown []string
	for _, p := range s.unique.Parts {
		if p.C == nil {
			return unknown
		}
		columns = append(columns, sqlschema.Ident(p.C.Name))
		if _, secret := p.C.Type.Type.(*schema.BinaryType); secret {
			return unknown
		}
		shown = append(shown, fmt.Sprintf(`left(%s::text, 60)`, sqlschema.Ident(p.C.Name)))
	}
	list := strings.Join(columns, ", ")
	query := fmt.Sprintf(`SELECT concat_ws(', ', %s), count(*) FROM %s.%s WHERE (%s) IS NOT NULL GROUP BY %s HAVING count(*) > 1 ORDER BY %s LIMIT 5`,
		strings.Join(shown, ", "), sqlschema.Ident(s.table.Schema.Name), sqlschema.Ident(s.table.Name), list, list, list)
	ctx, cancel := context.WithTimeout(ctx, explainTimeout)
	defer cancel()
	rows, err := m.db.QueryContext(ctx, query)
	if err != nil {
		return unknown
	}
	defer func() { _ = rows.Close() }()
	var found []string
	for rows.Next() {
		var value string
		var n int
		if rows.Scan(&value, &n) != nil {
			return unknown
		}
		found = append(found, fmt.Sprintf("%s (%d rows)", value, n))
	}
	if rows.Err() != nil || len(found) == 0 {
		return unknown
	}
	return fmt.Sprintf("the same %s stands in several rows of table %q: %s%s; keep one row of each or give the others a value of their own, then run the migration again",
		strings.Join(columns, ", "), s.table.Name, strings.Join(found, ", "), andMore(len(found)))
}

func andMore(n int) string {
	if n < 5 {
		return ""
	}
	return ", and maybe more"
}
