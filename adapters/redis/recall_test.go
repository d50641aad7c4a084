package redis

import (
	"fmt"
	"testing"
	"time"
)

func TestRecall(t *testing.T) {
	r := newRecall[string, string](16 << 10)
	later := time.Now().Add(time.Hour)
	ticket := func(key string) uint64 {
		_, known, ticket := r.get(key)
		if known {
			t.Fatalf("%s is known", key)
		}
		return ticket
	}
	want := func(key, value string) {
		t.Helper()
		if got, known, _ := r.get(key); known != (value != "") || got != value {
			t.Errorf("%s: %q, %v; want %q", key, got, known, value)
		}
	}

	r.keep("a", ticket("a"), "1", 1, later)
	want("a", "1")
	r.drop("a")
	want("a", "")

	early := ticket("a")
	r.drop("a") // the server told of a change while "2" was on its way
	r.keep("a", early, "2", 1, later)
	want("a", "")
	early = ticket("a")
	r.dropAll()
	r.keep("a", early, "3", 1, later)
	want("a", "")

	r.keep("a", ticket("a"), "4", 1, time.Now())
	want("a", "")
	r.keep("large", ticket("large"), "5", 1<<20, later)
	want("large", "")
}

func TestRecallIsBounded(t *testing.T) {
	const most, each = 64 << 10, 500
	r := newRecall[int, string](most)
	last := 0
	for i := range 1000 {
		_, _, ticket := r.get(i)
		r.keep(i, ticket, fmt.Sprint(i), each, time.Now().Add(time.Hour))
		last = i
	}
	size, entries := 0, 0
	for i := range r.shards {
		size += r.shards[i].size
		entries += len(r.shards[i].kept)
	}
	if size > most || size != entries*(each+recallOverhead) || entries < most/(each+recallOverhead)/2 {
		t.Errorf("%d entries of %d bytes in a bound of %d", entries, size, most)
	}
	if got, known, _ := r.get(last); !known || got != fmt.Sprint(last) {
		t.Errorf("the last one: %q, %v", got, known)
	}
	for i := range 1000 {
		r.drop(i)
	}
	for i := range r.shards {
		if s := &r.shards[i]; s.size != 0 || len(s.kept) != 0 {
			t.Errorf("after all were dropped %d bytes are counted for %d entries", s.size, len(s.kept))
		}
	}
}
