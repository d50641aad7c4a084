package main

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"strings"
	"time"
)

// nomad is the part of Nomad's HTTP API that is needed (https://developer.hashicorp.com/nomad/api-docs).
type nomad struct {
	address, token string
	query          url.Values
	client         *http.Client
	pause          time.Duration
}

func newNomad(getenv func(string) string) (*nomad, error) {
	n := &nomad{address: strings.TrimSuffix(getenv("NOMAD_ADDR"), "/"), token: getenv("NOMAD_TOKEN"), query: url.Values{}, pause: time.Second}
	if n.address == "" {
		return nil, errors.New("NOMAD_ADDR is not set")
	}
	for parameter, variable := range map[string]string{"namespace": "NOMAD_NAMESPACE", "region": "NOMAD_REGION"} {
		if value := getenv(variable); value != "" {
			n.query.Set(parameter, value)
		}
	}
	n.client = &http.Client{Timeout: 30 * time.Second}
	if file := getenv("NOMAD_CACERT"); file != "" {
		text, err := os.ReadFile(file)
		if err != nil {
			return nil, fmt.Errorf("NOMAD_CACERT: %w", err)
		}
		roots := x509.NewCertPool()
		if !roots.AppendCertsFromPEM(text) {
			return nil, fmt.Errorf("NOMAD_CACERT: %s holds no certificate", file)
		}
		n.client.Transport = &http.Transport{TLSClientConfig: &tls.Config{RootCAs: roots, MinVersion: tls.VersionTLS12}}
	}
	return n, nil
}

// Bounds of what is read of an answer, and shown of one that is a refusal, in bytes.
const (
	maxAnswer = 8 << 20
	maxReason = 2000
)

func (n *nomad) call(ctx context.Context, method, path string, sent, answer any) error {
	var body bytes.Buffer
	if sent != nil {
		if err := json.NewEncoder(&body).Encode(sent); err != nil {
			return err
		}
	}
	request, err := http.NewRequestWithContext(ctx, method, n.address+path+"?"+n.query.Encode(), &body)
	if err != nil {
		return err
	}
	if n.token != "" {
		request.Header.Set("X-Nomad-Token", n.token)
	}
	response, err := n.client.Do(request)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	text, err := io.ReadAll(io.LimitReader(response.Body, maxAnswer))
	if err != nil {
		return err
	}
	if response.StatusCode != http.StatusOK {
		return fmt.Errorf("%s was answered %s: %s", path, response.Status, bytes.TrimSpace(text[:min(len(text), maxReason)]))
	}
	return json.Unmarshal(text, answer)
}

// register has Nomad read the job with its variables, in the form of a file of them, and run it. It gives the evaluation, none
// for a periodic job.
func (n *nomad) register(ctx context.Context, job, variables string) (string, error) {
	var parsed json.RawMessage
	if err := n.call(ctx, http.MethodPost, "/v1/jobs/parse", map[string]any{"JobHCL": job, "Variables": variables, "Canonicalize": true}, &parsed); err != nil {
		return "", err
	}
	var answer struct{ EvalID, Warnings string }
	err := n.call(ctx, http.MethodPost, "/v1/jobs", map[string]any{"Job": parsed}, &answer)
	return answer.EvalID, err
}

// follow waits until the deployment that an evaluation made is over. A job that nothing changes makes none.
func (n *nomad) follow(ctx context.Context, evaluation string, tell func(string)) error {
	var e struct{ Status, StatusDescription, DeploymentID string }
	for e.Status != "complete" {
		if err := n.call(ctx, http.MethodGet, "/v1/evaluation/"+evaluation, nil, &e); err != nil {
			return err
		}
		switch e.Status {
		case "failed", "canceled":
			return fmt.Errorf("the evaluation is %s: %s", e.Status, e.StatusDescription)
		case "complete":
			continue
		}
		if err := n.wait(ctx); err != nil {
			return err
		}
	}
	if e.DeploymentID == "" {
		tell("runs as it did: nothing is new")
		return nil
	}
	last := ""
	for {
		var d struct {
			Status, StatusDescription string
			TaskGroups                map[string]struct{ DesiredTotal, DesiredCanaries, PlacedAllocs, HealthyAllocs, UnhealthyAllocs int }
		}
		if err := n.call(ctx, http.MethodGet, "/v1/deployment/"+e.DeploymentID, nil, &d); err != nil {
			return err
		}
		g := d.TaskGroups["templar"]
		told := fmt.Sprintf("%s: %d of %d placed, %d healthy, %d not", d.StatusDescription, g.PlacedAllocs, g.DesiredTotal, g.HealthyAllocs, g.UnhealthyAllocs)
		if told != last {
			tell(told)
			last = told
		}
		switch d.Status {
		case "successful":
			return nil
		case "failed", "cancelled":
			return fmt.Errorf("the deployment %s is %s: %s", e.DeploymentID, d.Status, d.StatusDescription)
		}
		if strings.Contains(d.StatusDescription, "manual promotion") && g.HealthyAllocs >= g.DesiredCanaries {
			tell("the canary is healthy and waits: nomad deployment promote " + e.DeploymentID)
			return nil
		}
		if err := n.wait(ctx); err != nil {
			return fmt.Errorf("the deployment %s is not over: %w", e.DeploymentID, err)
		}
	}
}

func (n *nomad) wait(ctx context.Context) error {
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-time.After(n.pause):
		return nil
	}
}
