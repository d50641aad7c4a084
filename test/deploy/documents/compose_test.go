package documents

import (
	"context"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/compose-spec/compose-go/v2/loader"
	"github.com/compose-spec/compose-go/v2/types"
)

// TestCompose loads the file as docker compose does, which checks it against the compose specification's schema.
func TestCompose(t *testing.T) {
	folder, err := filepath.Abs(filepath.Join(project, "build"))
	if err != nil {
		t.Fatal(err)
	}
	p, err := loader.LoadWithContext(context.Background(), types.ConfigDetails{WorkingDir: folder,
		ConfigFiles: []types.ConfigFile{{Filename: filepath.Join(folder, "compose.yaml")}}, Environment: types.Mapping{}})
	if err != nil {
		t.Fatal(err)
	}
	names := slices.Sorted(maps.Keys(p.Services))
	if want := []string{"characters", "grafana", "postgres", "prometheus", "redis", "templar"}; !slices.Equal(names, want) {
		t.Errorf("the services are %q, want %q", names, want)
	}
	for name, s := range p.Services {
		if s.HealthCheck == nil || len(s.HealthCheck.Test) == 0 {
			t.Errorf("%s has no health check", name)
		}
		for other, d := range s.DependsOn {
			if d.Condition != types.ServiceConditionHealthy {
				t.Errorf("%s does not wait until %s is healthy", name, other)
			}
		}
		stores := name != "templar" && name != "characters"
		kept := false
		for _, v := range s.Volumes {
			switch v.Type {
			case types.VolumeTypeVolume:
				kept = true
				if _, ok := p.Volumes[v.Source]; !ok {
					t.Errorf("%s has a volume %s that is not declared", name, v.Source)
				}
			case types.VolumeTypeBind:
				if _, err := os.Stat(v.Source); err != nil {
					t.Errorf("%s mounts %v", name, err)
				}
			}
		}
		if stores != kept {
			t.Errorf("%s keeps its data: %v", name, kept)
		}
		if stores {
			continue
		}
		checkVariables(t, "compose.yaml", slices.Collect(maps.Keys(s.Environment))...)
		checkGraceful(t, name, 15, float64(*s.StopGracePeriod)/1e9)
		if s.Build == nil || s.Build.Dockerfile != "build/Containerfile" || s.Build.Context != filepath.Dir(folder) {
			t.Errorf("%s is built from %+v", name, s.Build)
		}
	}
	for name, port := range map[string]string{"templar": "9000", "characters": "8000"} {
		s := p.Services[name]
		own := "9000"
		if v := s.Environment["HTTP_PORT"]; v != nil {
			own = *v
		}
		if len(s.Ports) != 1 || s.Ports[0].Published != port || own != port || s.Ports[0].Target != map[string]uint32{"9000": 9000, "8000": 8000}[port] {
			t.Errorf("%s is published as %+v and listens on %s", name, s.Ports, own)
		}
	}
	if text := string(read(t, "build/observability/prometheus.yml")); !strings.Contains(text, `"templar:9000", "characters:8000"`) {
		t.Error("Prometheus does not watch both")
	}
}
