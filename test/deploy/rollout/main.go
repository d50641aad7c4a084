// Command rollout is a balancer's view of a service in Nomad's discovery: it spreads requests over the instances that are
// registered, while somebody rolls, drains or kills them, and counts every request that failed. No request is repeated.
//
//	go run ./test/deploy/rollout -service templar-dev -token TOKEN -for 1m
//
// With -checked it does what README.md in nomad/ tells a balancer to do: an instance gets requests once its /readyz was 200,
// and none from the moment in which it is not. Without, it believes the registration alone.
package main

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"maps"
	"net"
	"net/http"
	"os"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

func main() {
	l := &load{results: map[string]int{}, served: map[string]int{}}
	flag.StringVar(&l.nomad, "nomad", "http://127.0.0.1:4646", "the address of Nomad")
	flag.StringVar(&l.service, "service", "templar", "the name of the service")
	flag.StringVar(&l.token, "token", "", "a bearer token of Templar that holds every scope")
	flag.BoolVar(&l.checked, "checked", false, "look at /readyz before and while an instance gets requests")
	duration := flag.Duration("for", time.Minute, "how long")
	clients := flag.Int("clients", 8, "how many requests at a time")
	flag.DurationVar(&l.pause, "pause", 5*time.Millisecond, "how long each client waits between requests")
	flag.Parse()
	ctx, cancel := context.WithTimeout(context.Background(), *duration)
	defer cancel()
	if !l.run(ctx, *clients) {
		os.Exit(1)
	}
}

const (
	// watchPause is how often the registrations are read; a balancer holds a blocking query open and sees them sooner.
	watchPause = 100 * time.Millisecond
	// checkPause is how often -checked asks each instance.
	checkPause = 250 * time.Millisecond
	maxAnswer  = 1 << 20
)

type load struct {
	nomad, service, token string
	checked               bool
	pause                 time.Duration

	targets atomic.Pointer[[]string]
	turn    atomic.Uint64

	mu      sync.Mutex
	results map[string]int // answers by status, failures by what happened
	served  map[string]int // requests by instance
	failed  int
}

func (l *load) run(ctx context.Context, clients int) bool {
	go l.watch(ctx)
	for l.targets.Load() == nil || len(*l.targets.Load()) == 0 {
		if ctx.Err() != nil {
			fmt.Fprintln(os.Stderr, "rollout: no instance is registered")
			return false
		}
		time.Sleep(watchPause)
	}
	var all sync.WaitGroup
	for i := range clients {
		all.Go(func() { l.client(ctx, i) })
	}
	all.Wait()
	total := 0
	for _, what := range slices.Sorted(maps.Keys(l.results)) {
		fmt.Printf("%8d %s\n", l.results[what], what)
		total += l.results[what]
	}
	for _, target := range slices.Sorted(maps.Keys(l.served)) {
		fmt.Printf("%8d by %s\n", l.served[target], target)
	}
	fmt.Printf("%d requests, %d failed, %d instances\n", total, l.failed, len(l.served))
	return l.failed == 0 && total > 0
}

// watch keeps the list of targets as Nomad has it, and with checks only those that are ready.
func (l *load) watch(ctx context.Context) {
	checked := map[string]time.Time{}
	ready := map[string]bool{}
	for ctx.Err() == nil {
		registered, err := l.registered(ctx)
		if err == nil {
			targets := registered
			if l.checked {
				targets = nil
				for _, target := range registered {
					if time.Since(checked[target]) >= checkPause {
						ready[target], checked[target] = isReady(ctx, target), time.Now()
					}
					if ready[target] {
						targets = append(targets, target)
					}
				}
			}
			l.targets.Store(&targets)
		}
		time.Sleep(watchPause)
	}
}

func (l *load) registered(ctx context.Context) ([]string, error) {
	_, body, err := ask(ctx, http.MethodGet, l.nomad+"/v1/service/"+l.service, "", "")
	if err != nil {
		return nil, err
	}
	var entries []struct {
		Address string
		Port    int
	}
	if err := json.Unmarshal(body, &entries); err != nil {
		return nil, err
	}
	targets := make([]string, len(entries))
	for i, e := range entries {
		targets[i] = net.JoinHostPort(e.Address, strconv.Itoa(e.Port))
	}
	return targets, nil
}

func isReady(ctx context.Context, target string) bool {
	ctx, cancel := context.WithTimeout(ctx, checkPause)
	defer cancel()
	status, _, err := ask(ctx, http.MethodGet, "http://"+target+"/readyz", "", "")
	return err == nil && status == http.StatusOK
}

// client makes a template, reads it again and again, and changes it now and then, each time on the next instance.
func (l *load) client(ctx context.Context, number int) {
	id := ""
	for turn := 0; ctx.Err() == nil; turn++ {
		method, path, body, want := http.MethodGet, "/v1/templates/"+id, "", http.StatusOK
		switch {
		case id == "":
			method, path, body, want = http.MethodPost, "/v1/templates", fmt.Sprintf(`{"name": "rollout %d", "content": "Hello {{name}}!"}`, number), http.StatusCreated
		case turn%10 == 0:
			method, body = http.MethodPatch, fmt.Sprintf(`{"content": "turn %d"}`, turn)
		}
		if made := l.send(ctx, method, path, body, want); made != "" && id == "" {
			id = made
		}
		time.Sleep(l.pause)
	}
}

// send sends one request to the next instance, counts what became of it, and gives the id of the answer's template.
func (l *load) send(ctx context.Context, method, path, body string, want int) string {
	targets := *l.targets.Load()
	if len(targets) == 0 {
		l.count("no instance to send to", "", false)
		return ""
	}
	target := targets[l.turn.Add(1)%uint64(len(targets))]
	bounded, cancel := context.WithTimeout(context.WithoutCancel(ctx), 10*time.Second)
	defer cancel()
	status, answer, err := ask(bounded, method, "http://"+target+path, body, l.token)
	if err != nil {
		var failure *net.OpError
		what := err.Error()
		if errors.As(err, &failure) {
			what = failure.Op + ": " + failure.Err.Error()
		}
		l.count(time.Now().UTC().Format("15:04:05.000 ")+method+" "+target+": "+what, target, false)
		return ""
	}
	l.count(method+" "+strconv.Itoa(status), target, status == want)
	var made struct {
		ID string `json:"templateid"`
	}
	if status == want && json.Unmarshal(answer, &made) == nil {
		return made.ID
	}
	return ""
}

func (l *load) count(what, target string, good bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.results[what]++
	if target != "" {
		l.served[target]++
	}
	if !good {
		l.failed++
	}
}

var client = &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 64, IdleConnTimeout: time.Minute}}

func ask(ctx context.Context, method, url, body, token string) (int, []byte, error) {
	request, err := http.NewRequestWithContext(ctx, method, url, strings.NewReader(body))
	if err != nil {
		return 0, nil, err
	}
	if body != "" {
		request.Header.Set("Content-Type", "application/json")
	}
	if method == http.MethodPatch {
		request.Header.Set("Content-Type", "application/merge-patch+json")
	}
	if token != "" {
		request.Header.Set("Authorization", "Bearer "+token)
	}
	response, err := client.Do(request)
	if err != nil {
		return 0, nil, err
	}
	defer response.Body.Close()
	answer, err := io.ReadAll(io.LimitReader(response.Body, maxAnswer))
	return response.StatusCode, answer, err
}
