package chaos

import (
	"fmt"
	"math/rand/v2"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
)

// entry is what a writer knows of one template.
type entry struct {
	id string
	// name is unique; it finds the template when the answer that tells its id was lost.
	name string
	// acked is the last content that was acknowledged, "" for none, at revision; former ones came before it.
	acked    string
	revision int
	former   []string
	// doubt is the content of a write that was sent and not acknowledged, "" for none. It may or may not be stored.
	doubt string
	// key is the Idempotency-Key of the creation.
	key string
}

// ledger holds what writers were told, to compare it with what is there after a crash.
type ledger struct {
	mu      sync.Mutex
	entries []*entry
	// others is how many templates there are beside the entries.
	others int
	// refusals are answers other than 2xx and 503, and answers that took too long.
	refusals []string
	statuses map[int]int
}

// word gives content that one search finds, and no other.
func word() string { return fmt.Sprintf("w%016x", rand.Uint64()) }

func content(word string) string { return "Hello {{name}}, " + word + "!" }

// write lets writers create and replace until stop is closed. A template whose write was not acknowledged is left
// alone from then on.
func (l *ledger) write(p *process, writers int, stop <-chan struct{}) *sync.WaitGroup {
	var running sync.WaitGroup
	for range writers {
		running.Go(func() {
			var own []*entry
			for {
				select {
				case <-stop:
					return
				default:
				}
				if len(own) == 0 || len(own) < 20 && rand.IntN(3) == 0 {
					if e := l.create(p); e != nil {
						own = append(own, e)
					}
					continue
				}
				i := rand.IntN(len(own))
				if !l.replace(p, own[i]) {
					own = slices.Delete(own, i, i+1)
				}
			}
		})
	}
	return &running
}

// create makes a template and gives its entry once it was acknowledged.
func (l *ledger) create(p *process) *entry {
	e := &entry{name: word(), doubt: word(), key: word()}
	l.mu.Lock()
	l.entries = append(l.entries, e)
	l.mu.Unlock()
	if l.resume(p, e) {
		return e
	}
	return nil
}

// resume sends the creation of an entry, for the first time or again.
func (l *ledger) resume(p *process, e *entry) bool {
	sent := e.doubt
	a, err := p.try("POST", "/v1/templates", object{Name: e.name, Content: content(sent)}.draft(), "Idempotency-Key", e.key)
	if !l.acknowledged(a, err) {
		return false
	}
	o, ok := decode(a)
	if !ok || o.Revision != 1 {
		l.refuse("a creation was answered with %s", a.Body)
		return false
	}
	e.id, e.revision, e.acked, e.doubt = o.ID, 1, sent, ""
	return true
}

func (l *ledger) replace(p *process, e *entry) bool {
	e.doubt = word()
	a, err := p.try("PUT", "/v1/templates/"+e.id, object{Name: e.name, Content: content(e.doubt)}.draft())
	if !l.acknowledged(a, err) {
		return false
	}
	o, ok := decode(a)
	if !ok || o.Revision != e.revision+1 {
		l.refuse("the write of revision %d was answered with %s", e.revision+1, a.Body)
		return false
	}
	e.former = append(e.former, e.acked)
	e.acked, e.revision, e.doubt = e.doubt, o.Revision, ""
	return true
}

// acknowledged counts an answer, and pauses a little after a failure.
func (l *ledger) acknowledged(a *answer, err error) bool {
	if err != nil {
		if strings.Contains(err.Error(), "Client.Timeout") {
			l.refuse("no answer: %v", err)
		}
		time.Sleep(100 * time.Millisecond)
		return false
	}
	l.mu.Lock()
	if l.statuses == nil {
		l.statuses = map[int]int{}
	}
	l.statuses[a.Status]++
	l.mu.Unlock()
	if a.Status/100 == 2 {
		return true
	}
	if err := a.unavailable(); err != nil {
		l.refuse("%v", err)
	}
	time.Sleep(100 * time.Millisecond)
	return false
}

func (l *ledger) refuse(format string, arguments ...any) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if len(l.refusals) < 20 {
		l.refusals = append(l.refusals, fmt.Sprintf(format, arguments...))
	}
}

// check compares everything with what is there: reads, lists in all sorts and the search.
func (l *ledger) check(t *testing.T, p *process) {
	t.Helper()
	for _, r := range l.refusals {
		t.Error("while writing: ", r)
	}
	l.refusals = nil
	var acked, doubtful, stored int
	names := map[string]int{}
	for _, o := range p.walk(t, "sort=name") {
		names[o.Name]++
	}
	for _, e := range l.entries {
		if e.doubt != "" {
			doubtful++
		}
		if e.id == "" {
			// Not acknowledged: repeated with its key it is there once, whether the first was stored or not.
			stored += names[e.name]
			if !l.resume(p, e) {
				t.Errorf("the repeat of a creation failed: %v", l.refusals)
				continue
			}
			names[e.name] = 1
		} else {
			acked++
		}
		l.compare(t, p, e)
	}
	l.compareLists(t, p)
	t.Logf("%d acknowledged templates, %d writes in doubt, of whose creations %d were stored; answers %v", acked, doubtful, stored, l.statuses)
	if acked == 0 {
		t.Error("nothing was acknowledged, so nothing was tested")
	}
}

func (l *ledger) compare(t *testing.T, p *process, e *entry) {
	t.Helper()
	a := p.do(t, "GET", "/v1/templates/"+e.id, nil)
	if a.Status != http.StatusOK {
		t.Errorf("%s was acknowledged at revision %d and now answers %d", e.id, e.revision, a.Status)
		return
	}
	o := a.object(t)
	switch {
	case o.Name == e.name && o.Revision == e.revision && o.Content == content(e.acked):
	case e.doubt != "" && o.Name == e.name && o.Revision == e.revision+1 && o.Content == content(e.doubt):
		e.former = append(e.former, e.acked)
		e.acked, e.revision = e.doubt, o.Revision
	default:
		t.Errorf("%s was acknowledged at revision %d with %q (in doubt: %q), now it is %+v", e.id, e.revision, e.acked, e.doubt, o)
	}
	e.doubt = ""
}

func (l *ledger) compareLists(t *testing.T, p *process) {
	t.Helper()
	for _, sort := range []string{"created", "-modified", "name"} {
		times := map[string]int{}
		for _, o := range p.walk(t, "sort="+sort) {
			times[o.ID]++
		}
		for _, e := range l.entries {
			if times[e.id] != 1 {
				t.Errorf("the list by %s shows %s %d times", sort, e.id, times[e.id])
			}
		}
		if len(times) != len(l.entries)+l.others {
			t.Errorf("the list by %s has %d templates, there are %d", sort, len(times), len(l.entries)+l.others)
		}
	}
	for i, e := range l.entries {
		// The last ones were under way in the crash.
		if i > 20 && i < len(l.entries)-60 {
			continue
		}
		if found := p.walk(t, "q="+e.acked); len(found) != 1 || found[0].ID != e.id {
			t.Errorf("the search for the content of %s finds %v", e.id, found)
		}
		if n := len(e.former); n > 0 {
			if found := p.walk(t, "q="+e.former[n-1]); len(found) != 0 {
				t.Errorf("the search for former content of %s finds %v", e.id, found)
			}
		}
	}
}
