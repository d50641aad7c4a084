package scale

import (
	"fmt"
	"sync"
	"time"
)

// object is one template as it is answered and exported.
type object struct {
	ID       string `json:"templateid"`
	Content  string `json:"content"`
	Revision int    `json:"revision"`
}

// ack is a write that was answered 2xx.
type ack struct {
	content string
	at      time.Time // when its answer was there
	by      int       // the instance that took it
}

// record is what all clients together know of one template.
type record struct {
	id string

	mu    sync.Mutex
	sent  map[string]bool // every content that any of them tried to store, with an answer or without
	acked map[int]ack     // by revision
	last  int             // the highest revision acknowledged
}

func newRecord(id string) *record {
	return &record{id: id, sent: map[string]bool{}, acked: map[int]ack{}}
}

func (r *record) path() string { return "/v1/templates/" + r.id }

func (r *record) send(content string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.sent[content] = true
}

// acknowledge notes a write that was answered 2xx, and tells what is wrong with the answer.
func (r *record) acknowledge(got object, content string, by int, at time.Time) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if got.ID != r.id || got.Content != content {
		return fmt.Errorf("%s: the write of %q was answered with %+v", r.id, content, got)
	}
	if other, twice := r.acked[got.Revision]; twice {
		return fmt.Errorf("%s: revision %d was acknowledged twice, as %q and as %q", r.id, got.Revision, other.content, content)
	}
	r.acked[got.Revision] = ack{content, at, by}
	r.last = max(r.last, got.Revision)
	return nil
}

// bounds are how old a read may be: of what its own instance has written, and of what others have.
type bounds struct{ own, others time.Duration }

// least gives the lowest revision that a read which began then on an instance may show; 0 for none at all.
func (r *record) least(began time.Time, reader int, b bounds) int {
	r.mu.Lock()
	defer r.mu.Unlock()
	for n := r.last; n > 0; n-- {
		a, known := r.acked[n]
		if !known {
			continue
		}
		bound := b.others
		if a.by == reader {
			bound = b.own
		}
		if !a.at.Add(bound).After(began) {
			return n
		}
	}
	return 0
}

// shown tells what is wrong with what a read showed, of which at least that revision was due. A revision above that may
// also be a write of which nobody was told that it is stored, and which went with the primary that alone had it.
func (r *record) shown(got object, least int) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	a, known := r.acked[got.Revision]
	switch {
	case got.Revision < least:
		return fmt.Errorf("%s: revision %d is shown, %d was acknowledged %v ago by instance %d",
			r.id, got.Revision, least, time.Since(r.acked[least].at).Round(time.Millisecond), r.acked[least].by)
	case known && got.Revision <= least && got.Content != a.content:
		return fmt.Errorf("%s: revision %d is shown as %q, acknowledged was %q", r.id, got.Revision, got.Content, a.content)
	case !r.sent[got.Content]:
		return fmt.Errorf("%s: %q is shown, which nobody wrote", r.id, got.Content)
	}
	return nil
}

// kept compares all that was acknowledged of the template with all revisions that there are in the end.
func (r *record) kept(revisions map[int]string) []error {
	r.mu.Lock()
	defer r.mu.Unlock()
	var wrong []error
	for n, a := range r.acked {
		if content, there := revisions[n]; !there {
			wrong = append(wrong, fmt.Errorf("%s: revision %d was acknowledged by instance %d and is lost", r.id, n, a.by))
		} else if content != a.content {
			wrong = append(wrong, fmt.Errorf("%s: revision %d was acknowledged by instance %d as %q and is %q", r.id, n, a.by, a.content, content))
		}
	}
	seen := map[string]int{}
	for n := 1; n <= len(revisions); n++ {
		content, there := revisions[n]
		switch {
		case !there:
			wrong = append(wrong, fmt.Errorf("%s: of %d revisions number %d is not there", r.id, len(revisions), n))
		case !r.sent[content]:
			wrong = append(wrong, fmt.Errorf("%s: revision %d is %q, which nobody wrote", r.id, n, content))
		case seen[content] > 0:
			wrong = append(wrong, fmt.Errorf("%s: one write became the revisions %d and %d", r.id, seen[content], n))
		}
		seen[content] = n
	}
	return wrong
}
