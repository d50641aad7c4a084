package redis

import (
	"context"
	"fmt"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"bitbucket.org/templar/templar/ports"
	"bitbucket.org/templar/templar/test/servers"
)

// TestInstancesTogetherKeepTheLimit lets three instances hammer one bucket, first all of the time, then in bursts with
// pauses around the life of a lease: they never get more than the bucket and its refill, and nearly all of it.
func TestInstancesTogetherKeepTheLimit(t *testing.T) {
	for _, rate := range []int{60, 1_000, 30_000, 600_000} {
		for _, bursts := range []bool{false, true} {
			t.Run(fmt.Sprintf("%d a minute, bursts %t", rate, bursts), func(t *testing.T) {
				server := servers.Redis(t)
				var limiters []ports.Limiter
				for range 3 {
					limiters = append(limiters, open(t, server, server.Addr()).Limiter())
				}
				var granted, asked atomic.Int64
				begun := time.Now()
				const lasts = 1500 * time.Millisecond
				var all sync.WaitGroup
				for n := range 12 {
					all.Go(func() {
						for time.Since(begun) < lasts {
							p := limiters[n%3].Take(t.Context(), "ann", rate)
							asked.Add(1)
							if p.Granted {
								granted.Add(1)
								if most := int64(rate) + int64(time.Since(begun).Minutes()*float64(rate)) + 1; granted.Load() > most {
									t.Errorf("%d permits, want at most %d", granted.Load(), most)
									return
								}
							} else {
								time.Sleep(min(p.RetryAfter, 5*time.Millisecond))
							}
							if bursts && rand.IntN(500) == 0 {
								time.Sleep(rand.N(700 * time.Millisecond))
							}
						}
					})
				}
				all.Wait()
				most := float64(rate) * (1 + time.Since(begun).Minutes())
				share := float64(granted.Load()) / most
				t.Logf("%d asked, %d granted: %.1f%% of what the bucket had", asked.Load(), granted.Load(), 100*share)
				if !bursts && rate <= 30_000 && share < 0.95 {
					t.Errorf("only %.1f%% of the bucket was given", 100*share)
				}
			})
		}
	}
}

func bucketOf(l ports.Limiter, name string) *bucket { return l.(*limiter).bucket(name) }

func sinceOrigin(l ports.Limiter, at time.Time) time.Duration { return at.Sub(l.(*limiter).origin) }

// leased takes permits until the instance has a lease of at least that many, and gives it.
func leased(t *testing.T, limiter ports.Limiter, name string, rate int, least int64) *lease {
	t.Helper()
	for range 10 * least {
		limiter.Take(t.Context(), name, rate)
		if l := bucketOf(limiter, name).lease.Load(); l != nil && l.size >= least {
			return l
		}
	}
	t.Fatalf("no lease of %d permits", least)
	return nil
}

// TestAnyWindowKeepsTheLimit looks at all windows of a sequence of grants, not only at those that begin with a full bucket:
// an instance that sits on a lease while the bucket fills must not add it to a full bucket.
func TestAnyWindowKeepsTheLimit(t *testing.T) {
	server := servers.Redis(t)
	one, two := open(t, server, server.Addr()).Limiter(), open(t, server, server.Addr()).Limiter()
	const rate = 60_000 // 1,000 a second
	for range 3 {
		leased(t, one, "ann", rate, 500)
		time.Sleep(longLease*leaseLife - 80*time.Millisecond)
		begun, granted := time.Now(), 0
		for _, l := range []ports.Limiter{one, two} {
			for l.Take(t.Context(), "ann", rate).Granted {
				granted++
			}
		}
		most := rate + int(time.Since(begun).Minutes()*rate) + 1
		t.Logf("%d permits in %v, at most %d", granted, time.Since(begun), most)
		if granted > most {
			t.Errorf("%d permits in one window, want at most %d", granted, most)
		}
		server.CLI("flushall")
		time.Sleep(leaseLife)
		one, two = open(t, server, server.Addr()).Limiter(), open(t, server, server.Addr()).Limiter()
	}
}

// TestEndedLeasesKeepTheLimit has one instance take all that there is just after the lease of another has ended: what the
// other spent of it at the last moment counts, and what it did not spend it has no more.
func TestEndedLeasesKeepTheLimit(t *testing.T) {
	server := servers.Redis(t)
	const rate = 60_000 // 1,000 a second
	for _, late := range []bool{true, false} {
		server.CLI("flushall")
		one, two := open(t, server, server.Addr()).Limiter(), open(t, server, server.Addr()).Limiter()
		l := leased(t, one, "ann", rate, 500)
		until := one.(*limiter).origin.Add(l.until)
		granted := 0
		take := func(from ports.Limiter) {
			for from.Take(t.Context(), "ann", rate).Granted {
				granted++
			}
		}
		time.Sleep(time.Until(until) - 30*time.Millisecond)
		begun := time.Now()
		if late {
			for range l.hand.Load() {
				one.Take(t.Context(), "ann", rate)
				granted++
			}
			time.Sleep(time.Until(until) + 30*time.Millisecond)
		} else {
			time.Sleep(time.Until(until) + time.Second)
			begun = time.Now()
		}
		take(two)
		take(one)
		most := rate + int(time.Since(begun).Minutes()*rate) + 1
		t.Logf("spent late %t: %d permits in %v, at most %d", late, granted, time.Since(begun), most)
		if granted > most || granted < rate {
			t.Errorf("spent late %t: %d permits in one window, want %d to %d", late, granted, rate, most)
		}
	}
}

func TestUnspentPermitsComeBack(t *testing.T) {
	server := servers.Redis(t)
	limiter := open(t, server, server.Addr()).Limiter()
	const rate = 6000
	if first := limiter.Take(t.Context(), "ann", rate); first.Remaining != rate-1 {
		t.Errorf("the first permit: %+v", first)
	}
	leased(t, limiter, "ann", rate, 100)
	time.Sleep(longLease*leaseLife + 50*time.Millisecond)
	if p := limiter.Take(t.Context(), "ann", rate); p.Remaining < rate-2 {
		t.Errorf("a lease of 100 or more ran out unspent; then: %+v", p)
	}
}

// TestLeasesFollowUse has leases begin small and become large with use, and small ones live long.
func TestLeasesFollowUse(t *testing.T) {
	server := servers.Redis(t)
	limiter := open(t, server, server.Addr()).Limiter()
	const rate = 100_000
	begun := time.Now()
	first := leased(t, limiter, "ann", rate, 1)
	if life := first.until - sinceOrigin(limiter, begun); first.size != firstLease || life < tinyLease*longLease*leaseLife-time.Second {
		t.Errorf("the first lease is of %d permits for %v", first.size, life)
	}
	begun = time.Now()
	large := leased(t, limiter, "ann", rate, rate/leaseShare-rate/leaseShare/10)
	if life := large.until - sinceOrigin(limiter, begun); large.size > rate/leaseShare || life > longLease*leaseLife+time.Second {
		t.Errorf("a large lease is of %d permits for %v", large.size, life)
	}
}

// TestNowAndThenCostsNoTrip has a user ask every 200 ms: with the permits of one lease.
func TestNowAndThenCostsNoTrip(t *testing.T) {
	server := servers.Redis(t)
	var trips atomic.Int64
	limiter := open(t, server, server.Addr(), func(c *Config) {
		c.Observe = func(_ context.Context, command string, _ time.Duration, _ error) {
			if command == "take" {
				trips.Add(1)
			}
		}
	}).Limiter()
	for range 10 {
		if !limiter.Take(t.Context(), "ann", 6000).Granted {
			t.Error("denied")
		}
		time.Sleep(200 * time.Millisecond)
	}
	if n := trips.Load(); n > 2 {
		t.Errorf("10 permits in 2 s cost %d trips", n)
	}
}

// TestAnOutageNeitherGivesNorForgets takes a bucket through an outage: what was used before counts in it, and what was
// used in it counts after.
func TestAnOutageNeitherGivesNorForgets(t *testing.T) {
	server := servers.Redis(t)
	proxy := servers.Proxy(t, server.Addr())
	client := open(t, server, proxy.Addr())
	limiter := client.Limiter()
	take := func(n int) (granted int) {
		for range n {
			if limiter.Take(t.Context(), "ann", 100).Granted {
				granted++
			}
		}
		return granted
	}
	begun := time.Now()
	before := take(40)
	proxy.Cut()
	during := take(30)
	if before != 40 || during != 30 {
		t.Fatalf("want 40 and 30 permits, got %d and %d", before, during)
	}
	proxy.Heal()
	eventually(t, 3*time.Second, isUp(client, true))
	time.Sleep(failedPause)
	if p := limiter.Peek(t.Context(), "ann", 100); p.Remaining > 40 {
		t.Errorf("after the outage: %+v", p)
	}
	after := take(100)
	most := 100 + int(time.Since(begun).Minutes()*100) + 1
	t.Logf("%d before, %d during, %d after the outage; at most %d", before, during, after, most)
	if before+during+after > most || after < 25 {
		t.Errorf("%d before, %d during, %d after the outage; at most %d", before, during, after, most)
	}
}

func TestADenialCostsNoTrips(t *testing.T) {
	server := servers.Redis(t)
	var trips atomic.Int64
	client := open(t, server, server.Addr(), func(c *Config) {
		c.Observe = func(_ context.Context, command string, _ time.Duration, _ error) {
			if command == "take" || command == "peek" {
				trips.Add(1)
			}
		}
	})
	limiter := client.Limiter()
	for range 10_000 {
		limiter.Take(t.Context(), "ann", 10)
		limiter.Peek(t.Context(), "ann", 10)
	}
	if n := trips.Load(); n > 20 {
		t.Errorf("20,000 questions to a bucket of 10 made %d trips", n)
	}
}

func TestBucketsAreForgotten(t *testing.T) {
	server := servers.Redis(t)
	l := open(t, server, server.Addr()).Limiter().(*limiter)
	for n := range 2000 {
		l.Take(t.Context(), fmt.Sprint(n), 2)
	}
	l.sweep(time.Since(l.origin))
	if n := len(l.buckets); n != 2000 {
		t.Errorf("buckets in use were forgotten: %d are left", n)
	}
	l.sweep(time.Since(l.origin) + 2*time.Minute)
	if n := len(l.buckets); n != 0 {
		t.Errorf("%d idle buckets are kept", n)
	}
	for n := range maxBuckets + 100 {
		l.bucket(fmt.Sprint("b", n))
	}
	if n := len(l.buckets); n > maxBuckets {
		t.Errorf("%d buckets are kept", n)
	}
	if ttl := server.CLI("pttl", l.bucketKey("1")); ttl == "-1" || ttl == "-2" {
		t.Errorf("a bucket in Redis never expires: PTTL %s", ttl)
	}
}

// TestNobodyStarves lets fast askers share a bucket that never runs dry: waiting for a trip, none may be passed by the
// others until it is turned away.
func TestNobodyStarves(t *testing.T) {
	server := servers.Redis(t)
	limiter := open(t, server, server.Addr()).Limiter()
	begun := time.Now()
	var all sync.WaitGroup
	for range 4 {
		all.Go(func() {
			for n := 0; time.Since(begun) < 2*time.Second; n++ {
				if p := limiter.Take(t.Context(), "ann", 2_000_000_000); !p.Granted {
					t.Errorf("turned away at the %dth time: %+v", n, p)
					return
				}
			}
		})
	}
	all.Wait()
}

func TestTakeHonoursItsContext(t *testing.T) {
	server := servers.Redis(t)
	proxy := servers.Proxy(t, server.Addr())
	limiter := open(t, server, proxy.Addr()).Limiter()
	proxy.Latency(300 * time.Millisecond)
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
	defer cancel()
	begun := time.Now()
	p := limiter.Take(ctx, "ann", 10)
	if took := time.Since(begun); took > 200*time.Millisecond || p.Limit != 10 {
		t.Errorf("Take took %v: %+v", took, p)
	}
}
