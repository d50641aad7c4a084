package character_test

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/uuid"

	"bitbucket.org/templar/templar/adapters/memory"
	"bitbucket.org/templar/templar/core/auth"
	"bitbucket.org/templar/templar/core/character"
	"bitbucket.org/templar/templar/core/fault"
	"bitbucket.org/templar/templar/core/page"
)

type fixture struct {
	*character.Service
	store *hookedStore
	now   time.Time
	ctx   context.Context
}

// hookedStore lets a test come between the reading and the writing of a change.
type hookedStore struct {
	*memory.Characters
	// replacing is called before every Replace; nil for nothing.
	replacing func()
}

func (s *hookedStore) Replace(ctx context.Context, c character.Character, was int, claim *character.Claim, roll uuid.UUID) error {
	if s.replacing != nil {
		s.replacing()
	}
	return s.Characters.Replace(ctx, c, was, claim, roll)
}

func newFixture() *fixture {
	f := &fixture{store: &hookedStore{Characters: memory.NewCharacters()}, now: time.Date(2026, 11, 22, 2, 29, 0, 123456789, time.FixedZone("", 3600))}
	f.ctx = as("ann", auth.AllScopes()...)
	var seeds atomic.Int64
	f.Service = character.NewService(character.Config{Store: f.store, Sealer: page.NewSealer("key"), Now: func() time.Time { return f.now },
		NewSeed: func() string { return fmt.Sprintf("seed %d", seeds.Add(1)) }})
	return f
}

func as(user string, scopes ...auth.Scope) context.Context {
	return auth.With(context.Background(), &auth.Principal{User: user, Scopes: scopes})
}

func (f *fixture) create(t *testing.T, b character.Build) character.Character {
	t.Helper()
	c, _, err := f.Create(f.ctx, character.Creation{Draft: character.DraftOf(b)})
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func key(text string, of byte) *character.Idempotency {
	return &character.Idempotency{Key: text, Fingerprint: [32]byte{of}}
}

func TestCreateSetsWhatIsTheServers(t *testing.T) {
	f := newFixture()
	c := f.create(t, character.Tordek())
	want := time.Date(2026, 11, 22, 1, 29, 0, 123456000, time.UTC)
	if c.Revision != 1 || c.Author != "ann" || c.Created != want || c.Modified != want || c.ID.Version() != 7 || c.XP != 900 || c.State.HP != 34 {
		t.Errorf("%+v", c)
	}
	read, err := f.Read(f.ctx, c.ID)
	if err != nil || !reflect.DeepEqual(read, c) {
		t.Errorf("%+v, %v", read, err)
	}
	if _, _, err := f.Create(f.ctx, character.Creation{Draft: character.DraftOf(character.Tordek()), ID: &c.ID}); !errors.Is(err, character.ErrTaken) {
		t.Errorf("%v", err)
	}
	if _, _, err := f.Create(f.ctx, character.Creation{Draft: character.DraftOf(character.Tordek()), ID: &c.ID, OnlyNew: true}); !fault.Is(err, fault.Stale) {
		t.Errorf("%v", err)
	}
	if _, _, err := f.Create(f.ctx, character.Creation{Draft: character.DraftOf(character.Build{})}); !fault.Is(err, fault.Invalid) {
		t.Errorf("%v", err)
	}
}

func TestEveryUseCaseNeedsItsScope(t *testing.T) {
	f := newFixture()
	c := f.create(t, character.Tordek())
	reader, writer := as("r", auth.CharactersRead), as("w", auth.CharactersWrite)
	calls := map[string]func(context.Context) error{
		"read":     func(ctx context.Context) error { _, err := f.Read(ctx, c.ID); return err },
		"list":     func(ctx context.Context) error { _, err := f.List(ctx, character.ListRequest{}); return err },
		"readroll": func(ctx context.Context) error { _, err := f.ReadRoll(ctx, c.ID); return err },
		"create": func(ctx context.Context) error {
			_, _, err := f.Create(ctx, character.Creation{Draft: character.DraftOf(character.Tordek())})
			return err
		},
		"replace": func(ctx context.Context) error {
			_, err := f.Replace(ctx, c.ID, character.DraftOf(character.Tordek()), nil)
			return err
		},
		"damage": func(ctx context.Context) error {
			_, _, err := f.Damage(ctx, character.Request{ID: c.ID}, 1)
			return err
		},
		"heal": func(ctx context.Context) error { _, _, err := f.Heal(ctx, character.Request{ID: c.ID}, 1); return err },
		"xp": func(ctx context.Context) error {
			_, _, err := f.GainXP(ctx, character.Request{ID: c.ID}, 1)
			return err
		},
		"rest": func(ctx context.Context) error {
			_, _, err := f.Rest(ctx, character.Request{ID: c.ID}, character.Rest{Kind: character.ShortRest})
			return err
		},
		"level": func(ctx context.Context) error {
			_, _, err := f.LevelUp(ctx, character.Request{ID: c.ID}, character.LevelUp{})
			return err
		},
		"roll": func(ctx context.Context) error {
			_, _, err := f.Roll(ctx, character.RollRequest{Notation: "1d6", Count: 1})
			return err
		},
		"delete":   func(ctx context.Context) error { return f.Delete(ctx, c.ID, nil) },
		"undelete": func(ctx context.Context) error { _, _, err := f.Undelete(ctx, c.ID, nil); return err },
	}
	for name, call := range calls {
		with, without := writer, reader
		if name == "read" || name == "list" || name == "readroll" {
			with, without = reader, writer
		}
		if err := call(context.Background()); !fault.Is(err, fault.Unauthenticated) {
			t.Errorf("%s without a credential: %v", name, err)
		}
		if err := call(without); !fault.Is(err, fault.Forbidden) {
			t.Errorf("%s without its scope: %v", name, err)
		}
		if name == "delete" || name == "undelete" {
			continue // they would get in each other's way
		}
		if err := call(with); err != nil && (fault.Is(err, fault.Forbidden) || fault.Is(err, fault.Unauthenticated)) {
			t.Errorf("%s with its scope: %v", name, err)
		}
	}
	if _, err := f.Purge(writer, f.now, true); !fault.Is(err, fault.Forbidden) {
		t.Errorf("purge: %v", err)
	}
}

func TestEveryChangeMakesARevision(t *testing.T) {
	f := newFixture()
	c := f.create(t, character.Tordek())
	f.now = f.now.Add(time.Second)
	again, err := f.Replace(f.ctx, c.ID, character.Draft{Build: c.Build}, nil)
	if err != nil || !reflect.DeepEqual(again, c) {
		t.Fatalf("sent back: %+v, %v", again, err)
	}
	next, _, err := f.Damage(f.ctx, character.Request{ID: c.ID, Precondition: &character.Precondition{Revisions: []int{1}}}, 7)
	if err != nil || next.Revision != 2 || next.State.HP != 27 || next.Created != c.Created || !next.Modified.After(c.Modified) {
		t.Fatalf("%+v, %v", next, err)
	}
	if _, _, err = f.Damage(f.ctx, character.Request{ID: c.ID, Precondition: &character.Precondition{Revisions: []int{1, 7}}}, 7); !errors.Is(err, character.ErrStale) {
		t.Errorf("%v", err)
	}
	renamed, err := f.Edit(f.ctx, c.ID, func(b character.Build) (character.Draft, error) {
		b.Name = "Thorek"
		return character.Draft{Build: b}, nil
	}, &character.Precondition{Any: true})
	if err != nil || renamed.Revision != 3 || renamed.Name != "Thorek" || renamed.State.HP != 27 {
		t.Errorf("%+v, %v", renamed, err)
	}
	refusal := errors.New("no")
	if _, err := f.Edit(f.ctx, c.ID, func(character.Build) (character.Draft, error) { return character.Draft{}, refusal }, nil); !errors.Is(err, refusal) {
		t.Errorf("%v", err)
	}
	if _, err := f.Replace(f.ctx, uuid.New(), character.DraftOf(character.Tordek()), nil); !fault.Is(err, fault.NotFound) {
		t.Errorf("%v", err)
	}
}

func TestConcurrentDamageIsNeverLost(t *testing.T) {
	f := newFixture()
	c := f.create(t, character.Tordek())
	var running sync.WaitGroup
	for range 30 {
		running.Add(1)
		go func() {
			defer running.Done()
			if _, _, err := f.Damage(f.ctx, character.Request{ID: c.ID}, 1); err != nil {
				t.Error(err)
			}
		}()
	}
	running.Wait()
	if c, err := f.Read(f.ctx, c.ID); err != nil || c.State.HP != 4 || c.Revision != 31 {
		t.Errorf("%d hit points at revision %d, %v", c.State.HP, c.Revision, err)
	}
}

func TestAChangeStartsAnewWhenAnotherCameFirst(t *testing.T) {
	f := newFixture()
	c := f.create(t, character.Tordek())
	others := 3
	f.store.replacing = func() {
		if others > 0 {
			others--
			now, err := f.store.Get(f.ctx, c.ID)
			if err != nil {
				t.Error(err)
			}
			now.Revision++
			now.State.HP--
			if err := f.store.Characters.Replace(f.ctx, now, now.Revision-1, nil, uuid.Nil); err != nil {
				t.Error(err)
			}
		}
	}
	next, _, err := f.Damage(f.ctx, character.Request{ID: c.ID}, 5)
	if err != nil || next.State.HP != 34-3-5 || next.Revision != 5 {
		t.Errorf("%+v, %v", next.State, err)
	}
	// With a precondition it is the caller's to look again.
	others = 1
	if _, _, err = f.Damage(f.ctx, character.Request{ID: c.ID, Precondition: &character.Precondition{Revisions: []int{5}}}, 5); !errors.Is(err, character.ErrStale) {
		t.Errorf("%v", err)
	}
	others = 1 << 30
	if _, _, err = f.GainXP(f.ctx, character.Request{ID: c.ID}, 1); !fault.Is(err, fault.Conflict) {
		t.Errorf("%v", err)
	}
}

func TestARepeatDealsNoDamage(t *testing.T) {
	f := newFixture()
	c := f.create(t, character.Tordek())
	request := character.Request{ID: c.ID, Idempotency: key("k", 1)}
	first, replayed, err := f.Damage(f.ctx, request, 7)
	if err != nil || replayed || first.State.HP != 27 {
		t.Fatalf("%+v, %t, %v", first, replayed, err)
	}
	if _, _, err = f.Heal(f.ctx, character.Request{ID: c.ID}, 3); err != nil {
		t.Fatal(err)
	}
	again, replayed, err := f.Damage(f.ctx, request, 7)
	if err != nil || !replayed || !reflect.DeepEqual(again, first) {
		t.Errorf("%+v, %t, %v", again, replayed, err)
	}
	if now, _ := f.Read(f.ctx, c.ID); now.State.HP != 30 {
		t.Errorf("%d hit points", now.State.HP)
	}
	if _, _, err = f.Damage(f.ctx, character.Request{ID: c.ID, Idempotency: key("k", 2)}, 8); !fault.Is(err, fault.Invalid) {
		t.Errorf("the key for another request: %v", err)
	}
	if _, replayed, err = f.Damage(as("bob", auth.CharactersWrite), request, 1); err != nil || replayed {
		t.Errorf("another user: %t, %v", replayed, err)
	}
	// What changes nothing is remembered, too.
	full := character.Request{ID: c.ID, Idempotency: key("heal", 1)}
	healed, _, err := f.Heal(f.ctx, full, 100)
	if err != nil {
		t.Fatal(err)
	}
	same := character.Request{ID: c.ID, Idempotency: key("heal again", 1)}
	idle, _, err := f.Heal(f.ctx, same, 100)
	if err != nil || idle.Revision != healed.Revision {
		t.Errorf("nothing to heal, but revision %d after %d, %v", idle.Revision, healed.Revision, err)
	}
	if _, _, err = f.Damage(f.ctx, character.Request{ID: c.ID}, 9); err != nil {
		t.Fatal(err)
	}
	if idle, replayed, err = f.Heal(f.ctx, same, 100); err != nil || !replayed || idle.Revision != healed.Revision {
		t.Errorf("a repeat healed: %+v, %t, %v", idle.State, replayed, err)
	}
	// A refusal is not remembered; the key is free for the corrected request.
	if _, _, err = f.Damage(f.ctx, character.Request{ID: c.ID, Idempotency: key("bad", 1)}, 0); !fault.Is(err, fault.Invalid) {
		t.Errorf("%v", err)
	}
	if _, _, err = f.Damage(f.ctx, character.Request{ID: c.ID, Idempotency: key("bad", 2)}, 1); err != nil {
		t.Errorf("%v", err)
	}
	f.now = f.now.Add(25 * time.Hour)
	if n, err := f.ForgetReceipts(f.ctx); err != nil || n == 0 {
		t.Errorf("%d, %v", n, err)
	}
	if _, replayed, err = f.Damage(f.ctx, request, 1); err != nil || replayed {
		t.Errorf("a key of yesterday: %t, %v", replayed, err)
	}
}

func TestTheSameRequestAtOnceIsDoneOnce(t *testing.T) {
	f := newFixture()
	c := f.create(t, character.Tordek())
	var running sync.WaitGroup
	for range 20 {
		running.Add(1)
		go func() {
			defer running.Done()
			got, _, err := f.Damage(f.ctx, character.Request{ID: c.ID, Idempotency: key("k", 1)}, 7)
			if err != nil || got.State.HP != 27 {
				t.Errorf("%+v, %v", got.State, err)
			}
			made, _, err := f.Create(f.ctx, character.Creation{Draft: character.DraftOf(character.Tordek()), Idempotency: key("new", 1)})
			if err != nil || made.Revision != 1 {
				t.Errorf("%v", err)
			}
		}()
	}
	running.Wait()
	if n, _ := f.store.Count(f.ctx, character.Filter{}); n != 2 {
		t.Errorf("%d characters", n)
	}
}

func TestTrash(t *testing.T) {
	f := newFixture()
	c := f.create(t, character.Tordek())
	if err := f.Delete(f.ctx, c.ID, &character.Precondition{Revisions: []int{2}}); !errors.Is(err, character.ErrStale) {
		t.Errorf("%v", err)
	}
	if _, _, err := f.Undelete(f.ctx, c.ID, nil); !fault.Is(err, fault.Conflict) {
		t.Errorf("%v", err)
	}
	if err := f.Delete(f.ctx, c.ID, nil); err != nil {
		t.Fatal(err)
	}
	for name, err := range map[string]error{
		"read":   func() error { _, err := f.Read(f.ctx, c.ID); return err }(),
		"delete": f.Delete(f.ctx, c.ID, nil),
		"damage": func() error { _, _, err := f.Damage(f.ctx, character.Request{ID: c.ID}, 1); return err }(),
		"change": func() error { _, err := f.Replace(f.ctx, c.ID, character.DraftOf(character.Tordek()), nil); return err }(),
	} {
		if !fault.Is(err, fault.NotFound) {
			t.Errorf("%s: %v", name, err)
		}
	}
	back, _, err := f.Undelete(f.ctx, c.ID, key("u", 1))
	if err != nil || !reflect.DeepEqual(back, c) {
		t.Errorf("%+v, %v", back, err)
	}
	if back, replayed, err := f.Undelete(f.ctx, c.ID, key("u", 1)); err != nil || !replayed || back.ID != c.ID {
		t.Errorf("%t, %v", replayed, err)
	}
	if err := f.Delete(f.ctx, c.ID, nil); err != nil {
		t.Fatal(err)
	}
	if n, err := f.Purge(f.ctx, f.now.Add(time.Second), true); err != nil || n != 1 {
		t.Errorf("%d, %v", n, err)
	}
	if n, err := f.Purge(f.ctx, f.now.Add(time.Second), false); err != nil || n != 1 {
		t.Errorf("%d, %v", n, err)
	}
	if _, _, err := f.Undelete(f.ctx, c.ID, nil); !fault.Is(err, fault.NotFound) {
		t.Errorf("%v", err)
	}
}
