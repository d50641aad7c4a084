package documents

import (
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
)

// form is what may stand in a block: attributes by name, blocks by type. A block of the type "*" is any.
type form struct {
	attributes map[string]bool
	blocks     map[string]*form
	any        bool // a map of the user's own names
}

func allow(attributes string, blocks map[string]*form) *form {
	return &form{attributes: words(attributes), blocks: blocks}
}

var free = &form{any: true}

// jobForm is the part of Nomad's job specification that Templar's jobs may use
// (https://developer.hashicorp.com/nomad/docs/job-specification).
func jobForm() *form {
	check := allow("name type path interval timeout method port protocol body", map[string]*form{"check_restart": allow("limit grace", nil), "header": free})
	task := allow("driver kill_signal kill_timeout shutdown_delay leader user", map[string]*form{
		"lifecycle": allow("hook sidecar", nil),
		"env":       free,
		"template":  allow("destination env change_mode change_signal splay data perms", nil),
		"service":   allow("name provider port tags canary_tags address_mode", map[string]*form{"check": check, "meta": free}),
		"logs":      allow("max_files max_file_size disabled", nil),
		"resources": allow("cpu cores memory memory_max", nil),
		"config": allow("image args command ports readonly_rootfs cap_drop security_opt network_mode image_pull_timeout", map[string]*form{
			"ulimit": allow("nofile nproc", nil)}),
	})
	policy := allow("evaluation_interval cooldown on_check_error", map[string]*form{
		"check": allow("source query query_window", map[string]*form{"strategy": allow("target threshold driver", nil)})})
	group := allow("count shutdown_delay", map[string]*form{
		"scaling":    allow("enabled min max", map[string]*form{"policy": policy}),
		"network":    allow("mode", map[string]*form{"port": allow("to static host_network", nil)}),
		"restart":    allow("attempts interval delay mode render_templates", nil),
		"reschedule": allow("attempts interval delay delay_function max_delay unlimited", nil),
		"task":       task,
	})
	job := allow("type datacenters namespace region priority node_pool all_at_once", map[string]*form{
		"spread":   allow("attribute weight", map[string]*form{"target": allow("percent", nil)}),
		"update":   allow("max_parallel canary health_check min_healthy_time healthy_deadline progress_deadline auto_revert auto_promote stagger", nil),
		"migrate":  allow("max_parallel health_check min_healthy_time healthy_deadline", nil),
		"periodic": allow("crons time_zone prohibit_overlap enabled", nil),
		"meta":     free,
		"group":    group,
	})
	variable := allow("type description default", map[string]*form{"validation": allow("condition error_message", nil)})
	return allow("", map[string]*form{"variable": variable, "job": job})
}

func parseHCL(t *testing.T, path string) *hclsyntax.Body {
	t.Helper()
	file, problems := hclsyntax.ParseConfig(read(t, path), path, hcl.InitialPos)
	if problems.HasErrors() {
		t.Fatal(problems)
	}
	return file.Body.(*hclsyntax.Body)
}

// checkForm walks a body and names what the form has not.
func checkForm(body *hclsyntax.Body, f *form, path string) []string {
	var wrong []string
	for name := range body.Attributes {
		if !f.any && !f.attributes[name] {
			wrong = append(wrong, path+"."+name)
		}
	}
	for _, block := range body.Blocks {
		inner := f.blocks[block.Type]
		if inner == nil {
			wrong = append(wrong, path+"."+block.Type+" {}")
			continue
		}
		wrong = append(wrong, checkForm(block.Body, inner, path+"."+block.Type)...)
	}
	slices.Sort(wrong)
	return wrong
}

// one finds the block at a path such as job.group.task=templar; the part after = is its label.
func one(t *testing.T, body *hclsyntax.Body, path string) *hclsyntax.Body {
	t.Helper()
	for part := range strings.SplitSeq(path, ".") {
		kind, label, _ := strings.Cut(part, "=")
		var found []*hclsyntax.Body
		for _, block := range body.Blocks {
			if block.Type == kind && (label == "" || len(block.Labels) > 0 && block.Labels[0] == label) {
				found = append(found, block.Body)
			}
		}
		if len(found) == 0 {
			t.Fatalf("there is no %s", path)
		}
		body = found[0]
	}
	return body
}

// literal gives an attribute that needs no variable, as text.
func literal(t *testing.T, body *hclsyntax.Body, name string) string {
	t.Helper()
	attribute := body.Attributes[name]
	if attribute == nil {
		t.Fatalf("there is no %s", name)
	}
	value, problems := attribute.Expr.Value(nil)
	if problems.HasErrors() {
		t.Fatal(problems)
	}
	switch {
	case value.Type().FriendlyName() == "bool" && value.True():
		return "true"
	case value.Type().FriendlyName() == "bool":
		return "false"
	case value.Type().FriendlyName() == "number":
		return value.AsBigFloat().String()
	}
	return value.AsString()
}

func seconds(t *testing.T, text string) float64 {
	t.Helper()
	d, err := time.ParseDuration(text)
	if err != nil {
		t.Fatal(err)
	}
	return d.Seconds()
}

func jobs(t *testing.T) []string {
	t.Helper()
	paths, err := filepath.Glob(filepath.Join(project, "nomad", "*.nomad.hcl"))
	if err != nil || len(paths) != 4 {
		t.Fatalf("the jobs are %q, %v", paths, err)
	}
	for i, path := range paths {
		paths[i] = filepath.Join("nomad", filepath.Base(path))
	}
	return paths
}

func TestNomadJobs(t *testing.T) {
	for _, path := range jobs(t) {
		t.Run(filepath.Base(path), func(t *testing.T) {
			body := parseHCL(t, path)
			for _, wrong := range checkForm(body, jobForm(), "") {
				t.Errorf("%s is not in Nomad's job specification, or not expected here", wrong)
			}
			text := string(read(t, path))
			for _, block := range body.Blocks {
				if block.Type == "variable" && !strings.Contains(strings.SplitN(text, "\njob ", 2)[1], "var."+block.Labels[0]) {
					t.Errorf("the variable %s is used nowhere", block.Labels[0])
				}
				if block.Type == "variable" && block.Body.Attributes["description"] == nil {
					t.Errorf("the variable %s has no description", block.Labels[0])
				}
			}
			for _, task := range one(t, body, "job.group").Blocks {
				if task.Type != "task" {
					continue
				}
				for _, block := range task.Body.Blocks {
					if block.Type == "env" {
						for name := range block.Body.Attributes {
							checkVariables(t, path, name)
						}
					}
				}
			}
		})
	}
}

// TestNomadPromises holds what the issue asked of the service's job.
func TestNomadPromises(t *testing.T) {
	for _, name := range []string{"templar", "templar-dev"} {
		body := parseHCL(t, filepath.Join("nomad", name+".nomad.hcl"))
		update := one(t, body, "job.update")
		for attribute, want := range map[string]string{"canary": "1", "max_parallel": "1", "auto_revert": "true", "health_check": "checks"} {
			if got := literal(t, update, attribute); got != want {
				t.Errorf("%s: update.%s is %s, want %s", name, attribute, got, want)
			}
		}
		task := one(t, body, "job.group.task=templar")
		end := 15.0 // the default of SHUTDOWN_TIMEOUT
		if env := one(t, task, "env"); env.Attributes["SHUTDOWN_TIMEOUT"] != nil {
			end = seconds(t, literal(t, env, "SHUTDOWN_TIMEOUT"))
		}
		checkGraceful(t, name, end, seconds(t, literal(t, task, "kill_timeout")))
		if seconds(t, literal(t, task, "shutdown_delay")) < 1 {
			t.Errorf("%s: instances leave without a delay", name)
		}
		service := one(t, task, "service")
		if got := literal(t, one(t, service, "check"), "path"); got != "/readyz" {
			t.Errorf("%s: health is asked at %s", name, got)
		}
		if literal(t, one(t, body, "job.group.task=migrate.lifecycle"), "hook") != "prestart" {
			t.Errorf("%s: nothing migrates before the start", name)
		}
		restarts := 0
		for _, block := range service.Blocks {
			if len(block.Body.Blocks) > 0 && literal(t, block.Body, "path") == "/livez" {
				restarts++
			} else if len(block.Body.Blocks) > 0 {
				t.Errorf("%s: an instance is restarted by %s, which a database that is away fails", name, literal(t, block.Body, "path"))
			}
		}
		if restarts != 1 {
			t.Errorf("%s: %d checks restart a process that hangs", name, restarts)
		}
	}
	body := parseHCL(t, "nomad/templar.nomad.hcl")
	if got := literal(t, one(t, body, "variable=count"), "default"); got != "3" {
		t.Errorf("%s instances run", got)
	}
	one(t, body, "job.spread")
	one(t, body, "job.group.scaling.policy.check.strategy")
	one(t, body, "job.group.task=templar.template")
	for _, name := range []string{"export", "purge"} {
		body := parseHCL(t, "nomad/templar-"+name+".nomad.hcl")
		if literal(t, one(t, body, "job"), "type") != "batch" || literal(t, one(t, body, "job.periodic"), "prohibit_overlap") != "true" {
			t.Errorf("templar-%s is no periodic batch job that runs alone", name)
		}
	}
}

func TestNomadPolicy(t *testing.T) {
	path := allow("capabilities", nil)
	f := allow("", map[string]*form{"namespace": allow("policy", map[string]*form{"variables": allow("", map[string]*form{"path": path})})})
	if wrong := checkForm(parseHCL(t, "nomad/templar-secrets.policy.hcl"), f, ""); wrong != nil {
		t.Errorf("%q", wrong)
	}
}

// TestCheckFormRefuses shows that the list of keys refuses what is not on it.
func TestCheckFormRefuses(t *testing.T) {
	file, problems := hclsyntax.ParseConfig([]byte(`
		job "x" {
			typ = "service"
			update { canery = 1 }
			group "g" {
				task "t" {
					env { ANYTHING = "goes" }
					kil_timeout = "1s"
					hooks {}
				}
			}
		}`), "x", hcl.InitialPos)
	if problems.HasErrors() {
		t.Fatal(problems)
	}
	got := checkForm(file.Body.(*hclsyntax.Body), jobForm(), "")
	if want := []string{".job.group.task.hooks {}", ".job.group.task.kil_timeout", ".job.typ", ".job.update.canery"}; !slices.Equal(got, want) {
		t.Errorf("refused %q, want %q", got, want)
	}
}
