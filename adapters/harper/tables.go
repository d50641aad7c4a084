package harper

import (
	"context"
	"encoding/json"
	"io"
)

// table is a table of the connection's schema with its hash attribute, Harper's name for the primary key.
type table struct{ name, hash string }

// The tables of Templar. Where the description has a primary key of several attributes, the migrator makes rowkey.
var (
	templatesTable = table{"templates", "templateid"}
	revisionsTable = table{"template_revisions", rowKey}
	labelsTable    = table{"template_labels", rowKey}
	movesTable     = table{"template_label_moves", "move"}
	receiptsTable  = table{"idempotency_keys", rowKey}
	keysTable      = table{"api_keys", "keyid"}

	charactersTable        = table{"characters", "characterid"}
	rollsTable             = table{"character_rolls", "rollid"}
	characterReceiptsTable = table{"character_receipts", rowKey}

	// stateTable holds leases and the journal. It is the adapter's own, made by every migration.
	stateTable = table{"templar_state", "entry"}
)

// rowKey is the hash attribute of tables whose described primary key has several attributes: their values joined in a
// way that the writer chooses.
const rowKey = "rowkey"

// record is one row as it is written. An upsert merges: what should be empty is null in it, not absent.
type record map[string]any

func (d *DB) on(name string, t table) operation {
	return operation{"operation": name, "schema": d.schema, "table": t.name}
}

func (d *DB) upsert(ctx context.Context, t table, records ...record) error {
	op := d.on("upsert", t)
	op["records"] = records
	return d.client.do(ctx, op, nil)
}

// insertNew inserts a row unless its hash exists; made tells which. Harper answers 200 to both.
func (d *DB) insertNew(ctx context.Context, t table, r record) (made bool, err error) {
	op := d.on("insert", t)
	op["records"] = []record{r}
	return made, d.changed(ctx, op, &made)
}

// updateOld changes a row if its hash exists; found tells.
func (d *DB) updateOld(ctx context.Context, t table, r record) (found bool, err error) {
	op := d.on("update", t)
	op["records"] = []record{r}
	return found, d.changed(ctx, op, &found)
}

// changed sends an operation on one row and tells whether that row was not skipped.
func (d *DB) changed(ctx context.Context, op operation, done *bool) error {
	var told struct {
		Skipped []any `json:"skipped_hashes"`
	}
	err := d.client.do(ctx, op, func(body io.Reader) error { return json.NewDecoder(body).Decode(&told) })
	*done = err == nil && len(told.Skipped) == 0
	return err
}

// remove deletes rows by their hashes; those that are not there count as deleted.
func (d *DB) remove(ctx context.Context, t table, hashes ...string) error {
	op := d.on("delete", t)
	op["hash_values"] = hashes
	return d.client.do(ctx, op, nil)
}

// byHash shows the rows of these hashes that exist, in no order.
func byHash[T any](ctx context.Context, d *DB, t table, hashes []string, attributes []string, each func(*T) error) error {
	for len(hashes) > 0 {
		part := hashes[:min(len(hashes), heavyPage)]
		hashes = hashes[len(part):]
		op := d.on("search_by_hash", t)
		op["hash_values"], op["get_attributes"] = part, attributes
		if err := rows(ctx, d.client, op, each); err != nil {
			return err
		}
	}
	return nil
}

// one reads the row of a hash; nil when there is none.
func one[T any](ctx context.Context, d *DB, t table, hash string, attributes []string) (*T, error) {
	var found *T
	err := byHash(ctx, d, t, []string{hash}, attributes, func(row *T) error { found = row; return nil })
	return found, err
}

// equal shows up to limit rows that have the value in one of the attributes, each of which Harper indexes.
func equal[T any](ctx context.Context, d *DB, t table, value string, in []string, attributes []string, limit int, each func(*T) error) error {
	conditions := make([]operation, len(in))
	for i, attribute := range in {
		conditions[i] = operation{"search_attribute": attribute, "search_type": "equals", "search_value": value}
	}
	op := d.on("search_by_conditions", t)
	op["operator"], op["conditions"], op["get_attributes"], op["limit"] = "or", conditions, attributes, limit
	if len(conditions) == 1 {
		op["operator"] = "and" // Harper takes no "or" of one
	}
	return rows(ctx, d.client, op, each)
}

const (
	// heavyPage is how many rows with contents a request asks for, lightPage how many without.
	heavyPage = 64
	lightPage = 2000
)

// scan is a walk along an attribute whose values differ in all rows that have one.
type scan struct {
	table
	// along is the attribute; rows in which it is null are not seen.
	along string
	// low and high bound it, both included; an empty high is no bound.
	low, high  string
	descending bool
	attributes []string
	// page is how many rows a request asks for.
	page int
}

// walk shows the rows of a scan in order, page by page, until each answers an error; errEnough is none. valueOf gives
// the value of the attribute in a row. Rows that change while it walks are seen where they stand when it comes by.
func walk[T any](ctx context.Context, d *DB, s scan, valueOf func(*T) string, each func(*T) error) error {
	last, begun := "", false
	for {
		seen, done := 0, false
		op := d.on("search_by_conditions", s.table)
		op["operator"], op["get_attributes"], op["limit"] = "and", s.attributes, s.page+1
		op["sort"] = operation{"attribute": s.along, "descending": s.descending}
		op["conditions"] = []operation{s.condition()}
		err := rows(ctx, d.client, op, func(row *T) error {
			seen++
			value := valueOf(row)
			if begun && value == last {
				return nil // the bounds are included
			}
			last, begun = value, true
			err := each(row)
			done = err != nil
			return err
		})
		if err != nil || done || seen <= s.page {
			return err
		}
		if s.descending {
			s.high = last
		} else {
			s.low = last
		}
	}
}

func (s scan) condition() operation {
	if s.high == "" {
		return operation{"search_attribute": s.along, "search_type": "greater_than_equal", "search_value": s.low}
	}
	return operation{"search_attribute": s.along, "search_type": "between", "search_value": []string{s.low, s.high}}
}
