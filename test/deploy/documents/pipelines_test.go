package documents

import (
	"bytes"
	"regexp"
	"strings"
	"testing"

	"go.yaml.in/yaml/v3"
)

// pipelinesFile is the schema of bitbucket-pipelines.yml
// (https://support.atlassian.com/bitbucket-cloud/docs/bitbucket-pipelines-configuration-reference/), as far as it may be used
// here. A key that is none of these is refused.
type pipelinesFile struct {
	Image   string
	Options struct {
		MaxTime int `yaml:"max-time"`
	}
	Clone struct {
		Depth string
	}
	Definitions struct {
		Caches   map[string]string
		Services map[string]struct {
			Image     string
			Memory    int
			Variables map[string]string
		}
		Steps []stage // only for anchors
	}
	Pipelines struct {
		PullRequests map[string][]stage `yaml:"pull-requests"`
		Branches     map[string][]stage
		Tags         map[string][]stage
		Custom       map[string][]stage
	}
}

// stage is a step, or steps side by side.
type stage struct {
	Step     *pipelineStep
	Parallel *struct {
		FailFast bool `yaml:"fail-fast"`
		Steps    []stage
	}
}

type pipelineStep struct {
	Name, Size, Deployment, Trigger, Image string
	OIDC                                   bool
	MaxTime                                int `yaml:"max-time"`
	Caches, Services, Script, Artifacts    []string
}

func readPipelines(t *testing.T) pipelinesFile {
	t.Helper()
	decoder := yaml.NewDecoder(bytes.NewReader(read(t, "bitbucket-pipelines.yml")))
	decoder.KnownFields(true)
	var p pipelinesFile
	if err := decoder.Decode(&p); err != nil {
		t.Fatal(err)
	}
	return p
}

func tasks(t *testing.T) map[string]any {
	t.Helper()
	var file struct{ Tasks map[string]any }
	if err := yaml.Unmarshal(read(t, "Taskfile.yml"), &file); err != nil {
		t.Fatal(err)
	}
	return file.Tasks
}

// steps are all steps of a pipeline in their order; after tells how many stages stand before each.
func steps(t *testing.T, stages []stage) (all []*pipelineStep, after map[string]int) {
	t.Helper()
	after = map[string]int{}
	for i, s := range stages {
		switch {
		case s.Step != nil && s.Parallel == nil:
			all = append(all, s.Step)
			after[s.Step.Name] = i
		case s.Parallel != nil && s.Step == nil && len(s.Parallel.Steps) > 1:
			for _, inner := range s.Parallel.Steps {
				if inner.Step == nil {
					t.Fatal("steps side by side hold something else than steps")
				}
				all = append(all, inner.Step)
				after[inner.Step.Name] = i
			}
		default:
			t.Fatal("a stage is neither a step nor several side by side")
		}
	}
	return all, after
}

func TestPipelines(t *testing.T) {
	p, known := readPipelines(t), tasks(t)
	line := regexp.MustCompile(`^build/task ([a-z:]+)$`)
	ran := map[string]bool{}
	for name, stages := range map[string][]stage{"pull request": p.Pipelines.PullRequests["**"], "main": p.Pipelines.Branches["main"], "tag": p.Pipelines.Tags["v*"]} {
		all, after := steps(t, stages)
		names := map[string]bool{}
		for _, s := range all {
			if s.Name == "" || names[s.Name] || len(s.Script) == 0 {
				t.Errorf("%s: the step %q has no name of its own or no script", name, s.Name)
			}
			names[s.Name] = true
			for _, script := range s.Script {
				m := line.FindStringSubmatch(script)
				if m == nil || known[m[1]] == nil {
					t.Errorf("%s: %q is no task of the Taskfile", name, script)
					continue
				}
				ran[m[1]] = true
			}
			for _, c := range s.Caches {
				if _, ok := p.Definitions.Caches[c]; !ok {
					t.Errorf("%s: %s has a cache %s that is not defined", name, s.Name, c)
				}
			}
			for _, c := range s.Services {
				if _, ok := p.Definitions.Services[c]; !ok {
					t.Errorf("%s: %s has a service %s that is not defined", name, s.Name, c)
				}
			}
			if (s.Deployment == "production") != (s.Trigger == "manual") {
				t.Errorf("%s: %s goes to %q by the trigger %q", name, s.Name, s.Deployment, s.Trigger)
			}
		}
		for _, want := range []string{"Lint", "Test", "Walk on PostgreSQL and Redis", "Image"} {
			if after[want] != 0 || !names[want] {
				t.Errorf("%s: %s is not among the first steps", name, want)
			}
		}
		if name != "pull request" && (after["Push to ECR"] <= after["Image"] || after["Deploy to production"] <= after["Push to ECR"]) {
			t.Errorf("%s: the order is %v", name, after)
		}
		if name == "pull request" && len(all) != 4 {
			t.Errorf("a pull request has %d steps", len(all))
		}
		if name == "main" && after["Deploy to staging"] <= after["Push to ECR"] {
			t.Error("staging is deployed to before there is an image")
		}
	}
	for _, want := range []string{"lint", "test:race", "image", "ecr:push", "deploy:staging", "deploy:production", "release"} {
		if !ran[want] {
			t.Errorf("no pipeline runs %s", want)
		}
	}
	for _, s := range p.Definitions.Steps {
		if s.Step.Name == "Push to ECR" && !s.Step.OIDC {
			t.Error("the push has no role")
		}
	}
	// One Go everywhere.
	if image := "golang:" + strings.TrimPrefix(regexp.MustCompile(`golang:[0-9.]+`).FindString(string(read(t, "build/Containerfile"))), "golang:"); p.Image != image {
		t.Errorf("the pipeline runs in %s, the image is built in %s", p.Image, image)
	}
}

// TestTasks looks that what the Taskfile runs of the project is there.
func TestTasks(t *testing.T) {
	text := string(read(t, "Taskfile.yml"))
	for _, found := range regexp.MustCompile(`\bbuild/[a-z-]+\b`).FindAllString(text, -1) {
		switch found {
		case "build/out":
		default:
			if _, err := stat(found); err != nil {
				t.Errorf("the Taskfile names %s: %v", found, err)
			}
		}
	}
	for name := range tasks(t) {
		if !strings.Contains(text, "\n  "+name+":\n    desc: ") {
			t.Errorf("the task %s does not begin with its description", name)
		}
	}
}
