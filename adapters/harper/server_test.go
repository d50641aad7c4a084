package harper

import (
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"unicode/utf16"
)

// server behaves as Harper 4.7's Operations API does, as far as this package uses it, with its oddities: what exists
// already is a 400 and what is missing a 404, or a 400 or 500 for attributes; a duplicate insert is a 200 that names
// the skipped hash; the delete of an absent row succeeds; upserts and updates merge; unknown attributes of a row come
// up by themselves; every number is a 64-bit float; large rows with several long texts that are not ASCII are mangled; an index keeps the first 256 UTF-16 units of a text; null sorts
// before every text.
type server struct {
	*httptest.Server
	mu      sync.Mutex
	schemas map[string]map[string]*serverTable
	clock   float64
	// calls counts operations by name; refuse, if set, answers one before it is looked at.
	calls  map[string]int
	refuse func(op map[string]any) (status int, body string)
	// lose, if set, tells of which operations the answer is lost after they were carried out.
	lose func(op map[string]any) bool
	gate sync.RWMutex // taken for writing while the server is paused
}

type serverTable struct {
	hash       string
	attributes []string
	rows       map[string]map[string]any
}

const (
	serverUser     = "admin"
	serverPassword = "pass:word/%"
)

func startServer(t testing.TB) *server {
	s := &server{schemas: map[string]map[string]*serverTable{}, calls: map[string]int{}}
	s.Server = httptest.NewServer(http.HandlerFunc(s.serve))
	t.Cleanup(s.Close)
	return s
}

// answer is a status and what is told with it.
type answer struct {
	status int
	body   any
}

func refusalOf(status int, format string, args ...any) answer {
	return answer{status, map[string]any{"error": fmt.Sprintf(format, args...)}}
}

func message(format string, args ...any) answer {
	return answer{200, map[string]any{"message": fmt.Sprintf(format, args...)}}
}

func (s *server) serve(w http.ResponseWriter, r *http.Request) {
	s.gate.RLock()
	defer s.gate.RUnlock()
	user, password, ok := r.BasicAuth()
	var a answer
	var op map[string]any
	switch {
	case !ok || user != serverUser || password != serverPassword:
		a = refusalOf(401, "Login failed")
	case json.NewDecoder(r.Body).Decode(&op) != nil:
		a = refusalOf(400, "Unexpected token in JSON")
	default:
		a = s.answer(op)
	}
	if s.isLost(op) {
		panic(http.ErrAbortHandler)
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(a.status)
	if text, ok := a.body.(string); ok {
		fmt.Fprint(w, text)
		return
	}
	_ = json.NewEncoder(w).Encode(a.body)
}

func (s *server) isLost(op map[string]any) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return op != nil && s.lose != nil && s.lose(op)
}

// trouble sets what goes wrong from now on.
func (s *server) trouble(refuse func(map[string]any) (int, string), lose func(map[string]any) bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.refuse, s.lose = refuse, lose
}

func (s *server) answer(op map[string]any) answer {
	s.mu.Lock()
	defer s.mu.Unlock()
	name, _ := op["operation"].(string)
	s.calls[name]++
	if s.refuse != nil {
		if status, body := s.refuse(op); status != 0 {
			return answer{status, body}
		}
	}
	schemaName, _ := op["schema"].(string)
	tableName, _ := op["table"].(string)
	switch name {
	case "describe_all":
		return s.describe()
	case "create_schema":
		if s.schemas[schemaName] != nil {
			return refusalOf(400, "database '%s' already exists", schemaName)
		}
		s.schemas[schemaName] = map[string]*serverTable{}
		return message("database '%s' successfully created", schemaName)
	}
	tables := s.schemas[schemaName]
	if tables == nil {
		return refusalOf(404, "database '%s' does not exist", schemaName)
	}
	t := tables[tableName]
	if name == "create_table" {
		if t != nil {
			return refusalOf(400, "Table '%s' already exists in '%s'", tableName, schemaName)
		}
		hash := op["hash_attribute"].(string)
		tables[tableName] = &serverTable{hash: hash, attributes: []string{hash, "__createdtime__", "__updatedtime__"}, rows: map[string]map[string]any{}}
		return message("table '%s.%s' successfully created.", schemaName, tableName)
	}
	if t == nil {
		return refusalOf(404, "Table '%s.%s' does not exist", schemaName, tableName)
	}
	s.clock++
	switch name {
	case "create_attribute":
		attribute := op["attribute"].(string)
		if slices.Contains(t.attributes, attribute) {
			return refusalOf(400, "attribute '%s' already exists in %s.%s", attribute, schemaName, tableName)
		}
		t.attributes = append(t.attributes, attribute)
		return message("attribute '%s.%s.%s' successfully created.", schemaName, tableName, attribute)
	case "drop_attribute":
		attribute := op["attribute"].(string)
		t.attributes = slices.DeleteFunc(t.attributes, func(a string) bool { return a == attribute })
		for _, row := range t.rows {
			delete(row, attribute)
		}
		return message("successfully deleted attribute '%s'", attribute)
	case "insert", "update", "upsert":
		return t.write(name, op, s.clock)
	case "delete":
		for _, hash := range op["hash_values"].([]any) {
			delete(t.rows, hash.(string))
		}
		return answer{200, map[string]any{"message": "deleted", "deleted_hashes": op["hash_values"], "skipped_hashes": []any{}}}
	case "search_by_hash":
		var found []map[string]any
		for _, hash := range op["hash_values"].([]any) {
			if row := t.rows[hash.(string)]; row != nil {
				found = append(found, row)
			}
		}
		return t.show(op, found, 500)
	case "search_by_value":
		op["conditions"] = []any{map[string]any{"search_attribute": op["search_attribute"], "search_type": "equals", "search_value": op["search_value"]}}
		return t.search(op)
	case "search_by_conditions":
		return t.search(op)
	}
	return refusalOf(400, "Operation '%s' not found", name)
}

func (s *server) describe() answer {
	all := map[string]any{}
	for name, tables := range s.schemas {
		described := map[string]any{}
		for table, t := range tables {
			var attributes []any
			for _, a := range t.attributes {
				attributes = append(attributes, map[string]any{"attribute": a, "indexed": true})
			}
			described[table] = map[string]any{"schema": name, "name": table, "hash_attribute": t.hash, "attributes": attributes, "record_count": len(t.rows)}
		}
		all[name] = described
	}
	return answer{200, all}
}

func (t *serverTable) write(name string, op map[string]any, now float64) answer {
	done, skipped := []any{}, []any{}
	for _, r := range op["records"].([]any) {
		r := r.(map[string]any)
		hash := r[t.hash].(string)
		old := t.rows[hash]
		if name == "insert" && old != nil || name == "update" && old == nil {
			skipped = append(skipped, hash)
			continue
		}
		done = append(done, hash)
		row := map[string]any{"__createdtime__": now}
		maps.Copy(row, old)
		maps.Copy(row, r)
		row["__updatedtime__"] = now
		if text := mangled(row); text != "" {
			row[t.hash] = text[:8]
		}
		t.rows[hash] = row
		for a := range r {
			if !slices.Contains(t.attributes, a) {
				t.attributes = append(t.attributes, a)
			}
		}
	}
	told := map[string]any{"message": fmt.Sprintf("%d of %d records", len(done), len(done)+len(skipped))}
	switch name {
	case "insert":
		told["inserted_hashes"], told["skipped_hashes"] = done, skipped
	case "update":
		told["update_hashes"], told["skipped_hashes"] = done, skipped
	default:
		told["upserted_hashes"] = done
	}
	return answer{200, told}
}

// mangled gives a text of a row that 4.7 would mangle: one of more than 64 KiB with several long texts that are not
// ASCII.
func mangled(row map[string]any) string {
	found, bytes, last := 0, 0, ""
	for _, v := range row {
		text, _ := v.(string)
		bytes += len(text)
		if len(text) > 1024 && strings.ContainsFunc(text, func(r rune) bool { return r > 0x7f }) {
			found, last = found+1, text
		}
	}
	if found < 2 || bytes <= 64<<10 {
		return ""
	}
	return last
}

// show answers rows with the attributes that are asked for.
func (t *serverTable) show(op map[string]any, found []map[string]any, unknown int) answer {
	var names []string
	for _, a := range op["get_attributes"].([]any) {
		if a == "*" {
			names = append(names, t.attributes...)
			continue
		}
		if !slices.Contains(t.attributes, a.(string)) {
			return refusalOf(unknown, "unknown attribute '%s'", a)
		}
		names = append(names, a.(string))
	}
	shown := []map[string]any{}
	for _, row := range found {
		part := map[string]any{}
		for _, name := range names {
			part[name] = row[name]
		}
		shown = append(shown, part)
	}
	return answer{200, shown}
}

// indexed is what an index keeps of a value.
func indexed(v any) (text string, is bool) {
	text, is = v.(string)
	if units := utf16.Encode([]rune(text)); is && len(units) > 256 {
		text = string(utf16.Decode(units[:256]))
	}
	return text, is
}

func (t *serverTable) search(op map[string]any) answer {
	conditions := op["conditions"].([]any)
	for _, c := range conditions {
		if a := c.(map[string]any)["search_attribute"].(string); !slices.Contains(t.attributes, a) {
			return refusalOf(400, "unknown attribute '%s'", a)
		}
	}
	if op["operator"] == "or" && len(conditions) < 2 {
		return refusalOf(500, `An "or" operator requires at least two conditions`)
	}
	var found []map[string]any
	for _, row := range t.rows {
		met := 0
		for _, c := range conditions {
			if meets(row, c.(map[string]any)) {
				met++
			}
		}
		if met == len(conditions) || op["operator"] == "or" && met > 0 {
			found = append(found, row)
		}
	}
	order := func(a, b map[string]any) int { return strings.Compare(a[t.hash].(string), b[t.hash].(string)) }
	if sort, ok := op["sort"].(map[string]any); ok {
		by := sort["attribute"].(string)
		order = func(a, b map[string]any) int {
			x, _ := indexed(a[by])
			y, _ := indexed(b[by])
			c := strings.Compare(x, y)
			if sort["descending"] == true {
				return -c
			}
			return c
		}
	}
	slices.SortFunc(found, order)
	if limit, ok := op["limit"].(float64); ok && int(limit) < len(found) {
		found = found[:int(limit)]
	}
	return t.show(op, found, 400)
}

func meets(row, c map[string]any) bool {
	value := row[c["search_attribute"].(string)]
	text, isText := indexed(value)
	bound, _ := indexed(c["search_value"])
	switch c["search_type"] {
	case "equals":
		return value == c["search_value"]
	case "greater_than":
		return isText && text > bound
	case "greater_than_equal":
		return isText && text >= bound
	case "less_than":
		return !isText || text < bound
	case "less_than_equal":
		return !isText || text <= bound
	case "between":
		both := c["search_value"].([]any)
		low, _ := indexed(both[0])
		high, _ := indexed(both[1])
		return isText && text >= low && text <= high
	}
	return false
}

// pause stops all answers until resume is called.
func (s *server) pause() (resume func()) {
	s.gate.Lock()
	return s.gate.Unlock
}
