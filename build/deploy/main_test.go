package main

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

const image = "registry.example.com/templar@sha256:" + "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"

// fakeNomad answers as Nomad 1.10.5 did: the deployment takes each of the states, one a request.
func fakeNomad(t *testing.T, states ...string) (registered *[]string) {
	t.Helper()
	registered = new([]string)
	turn := 0
	answer := func(w http.ResponseWriter, value any) {
		if err := json.NewEncoder(w).Encode(value); err != nil {
			t.Error(err)
		}
	}
	mux := http.NewServeMux()
	mux.HandleFunc("POST /v1/jobs/parse", func(w http.ResponseWriter, r *http.Request) {
		var sent struct{ JobHCL, Variables string }
		if err := json.NewDecoder(r.Body).Decode(&sent); err != nil || r.Header.Get("X-Nomad-Token") != "secret" || r.URL.Query().Get("namespace") != "apps" {
			t.Errorf("%v, %v, %v", err, r.Header, r.URL)
		}
		*registered = append(*registered, sent.Variables)
		answer(w, map[string]any{"ID": "parsed", "Periodic": strings.Contains(sent.JobHCL, "periodic {")})
	})
	mux.HandleFunc("POST /v1/jobs", func(w http.ResponseWriter, r *http.Request) {
		text, _ := io.ReadAll(r.Body)
		if strings.Contains(string(text), `"Periodic":true`) {
			answer(w, map[string]any{"EvalID": ""})
			return
		}
		answer(w, map[string]any{"EvalID": "e"})
	})
	mux.HandleFunc("GET /v1/evaluation/e", func(w http.ResponseWriter, _ *http.Request) {
		answer(w, map[string]any{"Status": "complete", "DeploymentID": "d"})
	})
	mux.HandleFunc("GET /v1/deployment/d", func(w http.ResponseWriter, _ *http.Request) {
		state := states[min(turn, len(states)-1)]
		turn++
		answer(w, map[string]any{"Status": state, "StatusDescription": "is " + state, "TaskGroups": map[string]any{"templar": map[string]int{"DesiredTotal": 3, "HealthyAllocs": turn}}})
	})
	server := httptest.NewServer(mux)
	t.Cleanup(server.Close)
	t.Setenv("NOMAD_ADDR", server.URL)
	t.Setenv("NOMAD_TOKEN", "secret")
	t.Setenv("NOMAD_NAMESPACE", "apps")
	t.Setenv("NOMAD_REGION", "")
	t.Setenv("NOMAD_CACERT", "")
	return registered
}

func TestDeploy(t *testing.T) {
	registered := fakeNomad(t, "running", "successful")
	var told bytes.Buffer
	o := options{folder: "../..", stage: "staging", image: image, bucket: "exports", out: &told}
	if err := o.run(t.Context()); err != nil {
		t.Fatal(err)
	}
	if len(*registered) != 3 || !strings.Contains((*registered)[0], `image = "`+image+`"`) || !strings.Contains((*registered)[0], "auto_promote = true") ||
		!strings.Contains((*registered)[2], `bucket = "exports"`) {
		t.Errorf("registered was %q", *registered)
	}
	if !slices.Contains(strings.Split(told.String(), "\n"), "templar: is successful: 0 of 3 placed, 2 healthy, 0 not") {
		t.Errorf("it told %s", told.String())
	}
}

func TestDeployFails(t *testing.T) {
	registered := fakeNomad(t, "running", "failed")
	err := options{folder: "../..", stage: "staging", image: image, out: io.Discard}.run(t.Context())
	if err == nil || !strings.Contains(err.Error(), "is failed") {
		t.Errorf("the error is %v", err)
	}
	if len(*registered) != 1 {
		t.Error("it went on with the other jobs")
	}
}

func TestDeployRefuses(t *testing.T) {
	fakeNomad(t, "successful")
	for what, o := range map[string]options{
		"no stage":            {image: image},
		"an unknown stage":    {stage: "nowhere", image: image},
		"a way out":           {stage: "../staging", image: image},
		"a tag":               {stage: "staging", image: "templar:latest"},
		"an injected setting": {stage: "staging", image: "x\"\ncount = 100\n" + image},
		"nothing pushed":      {stage: "staging"},
	} {
		o.folder, o.out = t.TempDir(), io.Discard
		if err := os.MkdirAll(filepath.Join(o.folder, "nomad"), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(o.folder, "nomad", "staging.vars.hcl"), nil, 0o600); err != nil {
			t.Fatal(err)
		}
		if err := o.run(t.Context()); err == nil {
			t.Errorf("it goes on with %s", what)
		}
	}
}
