package memory

import (
	"context"
	"maps"
	"sync"

	"bitbucket.org/templar/templar/core/fault"
)

// Directory is an auth.Directory in memory, for tests: its entries are changed at will, and it can be away.
type Directory struct {
	mu      sync.RWMutex
	entries map[string]string
	away    bool
}

// NewDirectory makes a directory with a copy of the entries; nil for none.
func NewDirectory(entries map[string]string) *Directory {
	d := &Directory{entries: map[string]string{}}
	maps.Copy(d.entries, entries)
	return d
}

// Set makes or changes an entry; it shows at once.
func (d *Directory) Set(field, value string) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.entries[field] = value
}

// Delete removes an entry, if it is there; it shows at once.
func (d *Directory) Delete(field string) {
	d.mu.Lock()
	defer d.mu.Unlock()
	delete(d.entries, field)
}

// Clear removes all entries.
func (d *Directory) Clear() {
	d.mu.Lock()
	defer d.mu.Unlock()
	clear(d.entries)
}

// SetAway makes every Lookup fail as if the directory could not be reached, until it is called with false.
func (d *Directory) SetAway(away bool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.away = away
}

// Lookup implements auth.Directory.
func (d *Directory) Lookup(ctx context.Context, fields ...string) (value string, found bool, err error) {
	d.mu.RLock()
	defer d.mu.RUnlock()
	if err := d.reachable(ctx); err != nil {
		return "", false, err
	}
	for _, field := range fields {
		if value, found = d.entries[field]; found {
			return value, true, nil
		}
	}
	return "", false, nil
}

// Ping works as long as the directory is not away and ctx goes on.
func (d *Directory) Ping(ctx context.Context) error {
	d.mu.RLock()
	defer d.mu.RUnlock()
	return d.reachable(ctx)
}

func (d *Directory) reachable(ctx context.Context) error {
	if d.away {
		return fault.New(fault.Unavailable, "the directory of keys is away")
	}
	return ended(ctx)
}
