package postgres

import (
	"context"
	"database/sql"

	"ariga.io/atlas/sql/migrate"
	"ariga.io/atlas/sql/schema"

	"bitbucket.org/templar/templar/adapters/internal/sqlschema"
)

// inspectTable is the table as it is, nil where there is none.
func inspectTable(ctx context.Context, tx *sql.Tx, driver migrate.Driver, namespace, name string) (*schema.Table, error) {
	s, err := driver.InspectSchema(ctx, namespace, &schema.InspectOptions{
		Mode: schema.InspectSchemas | schema.InspectTables, Tables: []string{name},
	})
	if schema.IsNotExistError(err) {
		return nil, nil // the schema is about to be created
	}
	if err != nil {
		return nil, err
	}
	t, ok := s.Table(name)
	if !ok {
		return nil, nil
	}
	return t, addCollations(ctx, tx, t)
}

// addCollations writes the collation of each index key that is an expression
// behind it: Atlas, and PostgreSQL where it prints a single key, leave it out.
func addCollations(ctx context.Context, tx *sql.Tx, t *schema.Table) error {
	rows, err := tx.QueryContext(ctx, `SELECT x.relname, k.ord, c.collname
		FROM pg_catalog.pg_index i
		JOIN pg_catalog.pg_class x ON x.oid = i.indexrelid
		JOIN pg_catalog.pg_class t ON t.oid = i.indrelid
		JOIN pg_catalog.pg_namespace n ON n.oid = t.relnamespace
		CROSS JOIN LATERAL unnest(i.indcollation::oid[]) WITH ORDINALITY k (oid, ord)
		JOIN pg_catalog.pg_collation c ON c.oid = k.oid
		WHERE n.nspname = $1 AND t.relname = $2 AND c.collname <> 'default'`, t.Schema.Name, t.Name)
	if err != nil {
		return err
	}
	defer func() { _ = rows.Close() }()
	for rows.Next() {
		var index, collation string
		var ord int
		if err := rows.Scan(&index, &ord, &collation); err != nil {
			return err
		}
		x, ok := t.Index(index)
		if !ok || ord > len(x.Parts) {
			continue
		}
		if raw, ok := x.Parts[ord-1].X.(*schema.RawExpr); ok {
			raw.X += " COLLATE " + sqlschema.Ident(collation)
		}
	}
	return rows.Err()
}
