package contract

import (
	"context"
	"fmt"
	"strings"
	"time"

	"bitbucket.org/templar/templar/core/fault"
	"bitbucket.org/templar/templar/core/template"
)

// Claims are judged by the clock of whoever stores them, so the samples expire long after the test or long before it.
var (
	farAhead = time.Date(2126, 1, 1, 0, 0, 0, 123456000, time.UTC)
	longAgo  = time.Date(2001, 1, 1, 0, 0, 0, 123456000, time.UTC)
)

func claimOf(user, key string) *template.Claim {
	c := &template.Claim{User: user, Key: key, Revision: 1, Expires: farAhead}
	copy(c.Fingerprint[:], user+"\x00\xff"+key)
	return c
}

var templateClaims = []TemplateCheck{
	{Name: "a claim is stored with the create", Run: func(ctx context.Context, s template.Store) error {
		a, claim := sample(1), claimOf("ann", "key")
		a.Revision, claim.Revision = 3, 3
		for i := range claim.Fingerprint {
			claim.Fingerprint[i] = byte(i * 37)
		}
		return first(s.Create(ctx, a, claim), holds(ctx, s, a), hasReceipt(ctx, s, claim, a))
	}},
	{Name: "a refused create keeps no claim", Run: func(ctx context.Context, s template.Store) error {
		a, claim := sample(1), claimOf("ann", "key")
		if err := create(ctx, s, a); err != nil {
			return err
		}
		err := wantErr("Create of a taken id with a claim", s.Create(ctx, a, claim), template.ErrTaken)
		_, receipt := s.Receipt(ctx, "ann", "key", at(0))
		b := sample(2)
		return first(err, wantKind("Receipt of the claim of a refused create", receipt, fault.NotFound), s.Create(ctx, b, claim), hasReceipt(ctx, s, claim, b))
	}},
	{Name: "a claim is used once", Run: func(ctx context.Context, s template.Store) error {
		a, b, claim := sample(1), sample(2), claimOf("ann", "key")
		again := claimOf("ann", "key")
		again.Fingerprint[0]++
		if err := s.Create(ctx, a, claim); err != nil {
			return err
		}
		for _, c := range []*template.Claim{claim, again} {
			err := wantErr("Create with a used claim", s.Create(ctx, b, c), template.ErrClaimed)
			_, get := s.Get(ctx, b.ID)
			_, revision := s.Revision(ctx, b.ID, 1)
			if err := first(err, wantKind("Get of what a used claim asked for", get, fault.NotFound),
				wantKind("Revision of what a used claim asked for", revision, fault.NotFound), hasReceipt(ctx, s, claim, a)); err != nil {
				return err
			}
		}
		// Both stand in the way here; either may be named.
		return first(wantErr("Create of a taken id with a used claim", s.Create(ctx, a, again), template.ErrClaimed, template.ErrTaken), holds(ctx, s, a), hasReceipt(ctx, s, claim, a))
	}},
	{Name: "claims of others do not meet", Run: func(ctx context.Context, s template.Store) error {
		for i, c := range []*template.Claim{
			claimOf("ann", "key"), claimOf("bob", "key"), claimOf("ann", "KEY"), claimOf("Ann", "key"), claimOf("ann", "key "), claimOf("annk", "ey"), claimOf("", "annkey"), claimOf("ann", ""),
			claimOf("a", "b:c"), claimOf("a:b", "c"), claimOf("a", "b/c"), claimOf("a/b", "c"), claimOf("\u0416'", "%_\\"), claimOf("\u0416'", "%_"), claimOf("ann", strings.Repeat("k", 255)),
			claimOf("ann", strings.Repeat("k", 254)), claimOf(strings.Repeat("\U0001F9D9", 200), "key"),
		} {
			if err := first(s.Create(ctx, sample(i), c), hasReceipt(ctx, s, c, sample(i))); err != nil {
				return fmt.Errorf("claim %d: %w", i, err)
			}
		}
		return nil
	}},
	{Name: "an expired claim may be used anew", Run: func(ctx context.Context, s template.Store) error {
		a, b, c := sample(1), sample(2), sample(3)
		old, fresh := claimOf("ann", "key"), claimOf("ann", "key")
		old.Expires = longAgo
		fresh.Fingerprint[0]++
		_, before := s.Receipt(ctx, "ann", "key", longAgo)
		return first(wantKind("Receipt before the claim", before, fault.NotFound), s.Create(ctx, a, old), s.Create(ctx, b, fresh), hasReceipt(ctx, s, fresh, b),
			wantErr("Create with a claim that was used anew", s.Create(ctx, c, old), template.ErrClaimed), hasReceipt(ctx, s, fresh, b))
	}},
	{Name: "receipts end when they expire", Run: func(ctx context.Context, s template.Store) error {
		a, claim := sample(1), claimOf("ann", "key")
		if err := s.Create(ctx, a, claim); err != nil {
			return err
		}
		if _, err := s.Receipt(ctx, "ann", "key", farAhead.Add(-time.Microsecond)); err != nil {
			return fmt.Errorf("Receipt a microsecond before it expires: %w", err)
		}
		_, now := s.Receipt(ctx, "ann", "key", farAhead)
		_, later := s.Receipt(ctx, "ann", "key", farAhead.Add(time.Hour))
		return first(wantKind("Receipt at the moment it expires", now, fault.NotFound), wantKind("Receipt after it expired", later, fault.NotFound))
	}},
	{Name: "of concurrent creates with a claim one wins", Run: func(ctx context.Context, s template.Store) error {
		for round := range 3 {
			claim := claimOf("ann", fmt.Sprint("key", round))
			errs := together(20, func(i int) error { return s.Create(ctx, sample(100*round+i), claim) })
			won, bad := winners(errs, template.ErrClaimed, template.ErrClaimRunning)
			n, err := s.Count(ctx, template.Filter{})
			if won != 1 || bad != nil || err != nil || n != round+1 {
				return fmt.Errorf("20 creates with one claim: want 1 to win and %d templates, got %d and %d (%v, %v)", round+1, won, n, bad, err)
			}
			for i, err := range errs {
				if err == nil {
					if err := hasReceipt(ctx, s, claim, sample(100*round+i)); err != nil {
						return err
					}
				}
			}
		}
		return nil
	}},
	{Name: "an expired claim is taken over once", Run: func(ctx context.Context, s template.Store) error {
		old := claimOf("ann", "key")
		old.Expires = longAgo
		if err := s.Create(ctx, sample(0), old); err != nil {
			return err
		}
		won, bad := winners(together(10, func(i int) error { return s.Create(ctx, sample(1+i), claimOf("ann", "key")) }), template.ErrClaimed, template.ErrClaimRunning)
		n, err := s.Count(ctx, template.Filter{})
		if won != 1 || bad != nil || err != nil || n != 2 {
			return fmt.Errorf("10 creates with an expired claim: want 1 to win and 2 templates, got %d and %d (%v, %v)", won, n, bad, err)
		}
		return nil
	}},
	{Name: "undelete with a claim", Run: func(ctx context.Context, s template.Store) error {
		a, claim := next(sample(1), "second"), claimOf("ann", "key")
		claim.Revision = 2
		if err := first(create(ctx, s, sample(1)), s.Replace(ctx, a, 1, nil), wantErr("Undelete of a living one with a claim", s.Undelete(ctx, a.ID, 2, claim), template.ErrStale), s.Trash(ctx, a.ID, 2, at(2)),
			wantErr("Undelete from another revision with a claim", s.Undelete(ctx, a.ID, 1, claim), template.ErrStale)); err != nil {
			return err
		}
		if _, err := s.Receipt(ctx, "ann", "key", at(0)); !fault.Is(err, fault.NotFound) {
			return fmt.Errorf("Receipt of a stale Undelete: want NotFound, got %v", err)
		}
		if err := first(s.Undelete(ctx, a.ID, 2, claim), holds(ctx, s, a), hasReceipt(ctx, s, claim, a), s.Trash(ctx, a.ID, 2, at(3))); err != nil {
			return err
		}
		trashed := a
		trashed.Deleted = at(3)
		return first(wantErr("Undelete with a used claim", s.Undelete(ctx, a.ID, 2, claim), template.ErrClaimed), holds(ctx, s, trashed),
			wantErr("Create with a claim that an Undelete used", s.Create(ctx, sample(5), claim), template.ErrClaimed), hasReceipt(ctx, s, claim, a))
	}},
	{Name: "replace with a claim", Run: func(ctx context.Context, s template.Store) error {
		a, b, claim := sample(1), next(sample(1), "second"), claimOf("ann", "key")
		claim.Revision = 2
		if err := first(wantErr("Replace of a missing template with a claim", s.Replace(ctx, b, 1, claim), template.ErrStale), create(ctx, s, a),
			wantErr("Replace from another revision with a claim", s.Replace(ctx, next(b, "x"), 2, claim), template.ErrStale)); err != nil {
			return err
		}
		if _, err := s.Receipt(ctx, "ann", "key", at(0)); !fault.Is(err, fault.NotFound) {
			return fmt.Errorf("Receipt of a stale Replace: want NotFound, got %v", err)
		}
		if err := first(s.Replace(ctx, b, 1, claim), holds(ctx, s, b), holdsRevision(ctx, s, a), hasReceipt(ctx, s, claim, b)); err != nil {
			return err
		}
		return first(wantErr("Replace with a used claim", s.Replace(ctx, next(b, "third"), 2, claim), template.ErrClaimed), holds(ctx, s, b), holdsRevision(ctx, s, a),
			wantErr("Create with a claim that a Replace used", s.Create(ctx, sample(5), claim), template.ErrClaimed), hasReceipt(ctx, s, claim, b),
			s.Replace(ctx, next(b, "third"), 2, claimOf("ann", "other")), holds(ctx, s, next(b, "third")))
	}},
	{Name: "of concurrent replaces with a claim one wins", Run: func(ctx context.Context, s template.Store) error {
		rows := samples(10)
		if err := create(ctx, s, rows...); err != nil {
			return err
		}
		claim := claimOf("ann", "key")
		errs := together(len(rows), func(i int) error { return s.Replace(ctx, next(rows[i], "second"), 1, claim) })
		if won, bad := winners(errs, template.ErrClaimed, template.ErrClaimRunning); won != 1 || bad != nil {
			return fmt.Errorf("%d replaces with one claim: want 1 to win, got %d (%v)", len(rows), won, bad)
		}
		for i, err := range errs {
			want := rows[i]
			if err == nil {
				want = next(want, "second")
				err = hasReceipt(ctx, s, claim, want)
			} else {
				err = nil
			}
			if err = first(err, holds(ctx, s, want)); err != nil {
				return err
			}
		}
		return nil
	}},
	{Name: "a claim on its own", Run: func(ctx context.Context, s template.Store) error {
		a, claim, old := sample(1), claimOf("ann", "key"), claimOf("ann", "old")
		claim.Revision, old.Expires = 7, longAgo
		again := *claim
		again.Fingerprint[0]++
		if err := first(create(ctx, s, a), s.Claim(ctx, a.ID, *claim), hasReceipt(ctx, s, claim, a), wantErr("Claim of a used key", s.Claim(ctx, a.ID, again), template.ErrClaimed),
			hasReceipt(ctx, s, claim, a), holds(ctx, s, a), wantErr("Replace with a claim that was stored on its own", s.Replace(ctx, next(a, "x"), 1, claim), template.ErrClaimed)); err != nil {
			return err
		}
		errs := together(10, func(int) error { return s.Claim(ctx, a.ID, *claimOf("bob", "key")) })
		if won, bad := winners(errs, template.ErrClaimed, template.ErrClaimRunning); won != 1 || bad != nil {
			return fmt.Errorf("10 claims of one key: want 1 to win, got %d (%v)", won, bad)
		}
		fresh := claimOf("ann", "old")
		return first(s.Claim(ctx, a.ID, *old), s.Claim(ctx, a.ID, *fresh), hasReceipt(ctx, s, fresh, a), holds(ctx, s, a))
	}},
	{Name: "forgetting removes expired receipts up to the limit", Run: forgetting},
}

func forgetting(ctx context.Context, s template.Store) error {
	soon := farAhead.Add(-time.Hour)
	for i := range 9 {
		c := claimOf("ann", fmt.Sprint("key", i))
		if i < 5 {
			c.Expires = soon.Add(time.Duration(i-4) * time.Second) // the last at soon itself
		}
		if err := s.Create(ctx, sample(i), c); err != nil {
			return err
		}
	}
	for _, step := range []struct {
		now         time.Time
		limit, want int
	}{
		{at(0), 10, 0}, {soon.Add(-4*time.Second - time.Microsecond), 10, 0}, {soon, 2, 2}, {soon, 2, 2}, {soon, 2, 1}, {soon, 2, 0}, {farAhead.Add(-time.Microsecond), 100, 0},
	} {
		if n, err := s.ForgetReceipts(ctx, step.now, step.limit); err != nil || n != step.want {
			return fmt.Errorf("ForgetReceipts at %v, at most %d: want %d, got %d, %v", step.now, step.limit, step.want, n, err)
		}
	}
	// A time before their end shows which receipts are really gone.
	for i := range 9 {
		_, err := s.Receipt(ctx, "ann", fmt.Sprint("key", i), at(0))
		if i < 5 {
			err = wantKind("Receipt of a forgotten claim", err, fault.NotFound)
		}
		if err != nil {
			return fmt.Errorf("receipt %d: %w", i, err)
		}
	}
	n, err := s.Count(ctx, template.Filter{})
	if err != nil || n != 9 {
		return fmt.Errorf("templates after forgetting receipts: want 9, got %d, %v", n, err)
	}
	return nil
}

// hasReceipt complains unless the claim's receipt tells of t.
func hasReceipt(ctx context.Context, s template.Store, c *template.Claim, t template.Template) error {
	got, err := s.Receipt(ctx, c.User, c.Key, at(0))
	if err != nil {
		return fmt.Errorf("Receipt: %w", err)
	}
	if want := (template.Receipt{Fingerprint: c.Fingerprint, ID: t.ID, Revision: c.Revision}); got != want {
		return fmt.Errorf("Receipt: want %+v, got %+v", want, got)
	}
	return nil
}
