package documents

import (
	"bytes"
	"encoding/json"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/Azure/azure-sdk-for-go/sdk/resourcemanager/containerinstance/armcontainerinstance/v2"
	"github.com/aws/aws-sdk-go-v2/service/ecs"
	"go.yaml.in/yaml/v3"
)

// strictly decodes JSON and refuses fields that the type has not.
func strictly(t *testing.T, name string, into any) {
	t.Helper()
	decoder := json.NewDecoder(bytes.NewReader(read(t, name)))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(into); err != nil {
		t.Fatalf("%s: %v", name, err)
	}
}

func TestECSTask(t *testing.T) {
	var task ecs.RegisterTaskDefinitionInput
	strictly(t, "build/aws/task-definition.json", &task)
	cpu, memory := 0, 0
	for _, c := range task.ContainerDefinitions {
		cpu += int(c.Cpu)
		memory += int(*c.Memory)
		for _, e := range c.Environment {
			checkVariables(t, *c.Name, *e.Name)
			if slices.Contains([]string{"DB_PASS", "REDIS_PASS", "SECRET_KEY", "API_TOKENS"}, *e.Name) {
				t.Errorf("%s: the secret %s stands in the task definition", *c.Name, *e.Name)
			}
		}
		for _, s := range c.Secrets {
			checkVariables(t, *c.Name, *s.Name)
			if want := ":parameter/templar/" + *s.Name; !strings.HasPrefix(*s.ValueFrom, "arn:aws:ssm:") || !strings.HasSuffix(*s.ValueFrom, want) {
				t.Errorf("%s: %s comes from %s", *c.Name, *s.Name, *s.ValueFrom)
			}
		}
		if !slices.Equal(c.EntryPoint, []string{"/templar"}) || len(c.Command) == 0 || !*c.ReadonlyRootFilesystem {
			t.Errorf("%s starts %q %q", *c.Name, c.EntryPoint, c.Command)
		}
	}
	if fmt.Sprint(cpu) != *task.Cpu || fmt.Sprint(memory) != *task.Memory {
		t.Errorf("the containers have %d CPU units and %d MiB, the task %s and %s", cpu, memory, *task.Cpu, *task.Memory)
	}
	// Fargate offers these with 512 units (https://docs.aws.amazon.com/AmazonECS/latest/developerguide/task-cpu-memory-error.html).
	if *task.Cpu != "512" || !slices.Contains([]string{"1024", "2048", "3072", "4096"}, *task.Memory) {
		t.Errorf("Fargate has no task of %s units and %s MiB", *task.Cpu, *task.Memory)
	}
	serve := task.ContainerDefinitions[1]
	if serve.HealthCheck == nil || serve.HealthCheck.Command[0] != "CMD" || *serve.DependsOn[0].ContainerName != "migrate" {
		t.Errorf("health is checked by %+v", serve.HealthCheck)
	}
	checkGraceful(t, "ECS", 20, float64(*serve.StopTimeout))
}

func TestECSService(t *testing.T) {
	var service ecs.CreateServiceInput
	strictly(t, "build/aws/service.json", &service)
	d := service.DeploymentConfiguration
	if *service.DesiredCount != 3 || !d.DeploymentCircuitBreaker.Rollback || *d.MinimumHealthyPercent != 100 {
		t.Errorf("the service is %+v", service)
	}
	if *service.LoadBalancers[0].ContainerName != "templar" || *service.LoadBalancers[0].ContainerPort != 9000 {
		t.Errorf("the balancer asks %+v", service.LoadBalancers)
	}
}

// policy is an IAM policy
// (https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_grammar.html), as narrow as it is used here.
type policy struct {
	Version   string
	Statement []struct {
		Sid, Effect      string
		Principal        map[string][]string
		Action, Resource []string
		Condition        map[string]map[string]any
	}
}

// TestPolicies looks that nobody may do more than needed.
func TestPolicies(t *testing.T) {
	for _, name := range []string{"ecr-push", "execution", "task"} {
		var p policy
		strictly(t, "build/aws/"+name+".policy.json", &p)
		if p.Version != "2012-10-17" || len(p.Statement) == 0 {
			t.Errorf("%s is no policy", name)
		}
		for _, s := range p.Statement {
			if s.Effect != "Allow" || len(s.Action) == 0 || s.Principal != nil {
				t.Errorf("%s: %s is %+v", name, s.Sid, s)
			}
			for _, a := range s.Action {
				if strings.Contains(a, "*") {
					t.Errorf("%s: %s allows %s", name, s.Sid, a)
				}
			}
			// The one action that knows no resource.
			if slices.Contains(s.Resource, "*") && !slices.Equal(s.Action, []string{"ecr:GetAuthorizationToken"}) {
				t.Errorf("%s: %s is for everything", name, s.Sid)
			}
		}
	}
	for _, name := range []string{"tasks", "pipelines"} {
		var p policy
		strictly(t, "build/aws/"+name+".trust.json", &p)
		for _, s := range p.Statement {
			if len(s.Principal) != 1 || len(s.Condition) == 0 || len(s.Resource) > 0 {
				t.Errorf("%s: %s trusts without a condition", name, s.Sid)
			}
		}
	}
	// What the task is told to read, its role may read.
	var execution policy
	strictly(t, "build/aws/execution.policy.json", &execution)
	if got := execution.Statement[2]; got.Action[0] != "ssm:GetParameters" || !strings.HasSuffix(got.Resource[0], ":parameter/templar/*") {
		t.Errorf("the secrets are read by %+v", got)
	}
}

// TestAzure decodes the container group into the SDK's type, which drops what it does not know, and looks that all came through.
func TestAzure(t *testing.T) {
	var raw map[string]any
	if err := yaml.Unmarshal(read(t, "build/azure/container-group.yaml"), &raw); err != nil {
		t.Fatal(err)
	}
	delete(raw, "apiVersion") // for the command line, not for the service
	text, err := json.Marshal(raw)
	if err != nil {
		t.Fatal(err)
	}
	var group armcontainerinstance.ContainerGroup
	if err := json.Unmarshal(text, &group); err != nil {
		t.Fatal(err)
	}
	// The service sets name and type; the SDK's type reads them, and writes them only as read.
	again, err := json.Marshal(group)
	if err != nil {
		t.Fatal(err)
	}
	var came map[string]any
	if err := json.Unmarshal(again, &came); err != nil {
		t.Fatal(err)
	}
	var sent map[string]any
	if err := json.Unmarshal(text, &sent); err != nil {
		t.Fatal(err)
	}
	for _, lost := range missing(sent, came, "") {
		t.Errorf("the service does not know %s", lost)
	}
	container := group.Properties.Containers[0].Properties
	for _, v := range container.EnvironmentVariables {
		checkVariables(t, "container-group.yaml", *v.Name)
		if slices.Contains([]string{"DB_PASS", "REDIS_PASS", "SECRET_KEY", "API_TOKENS"}, *v.Name) != (v.SecureValue != nil) {
			t.Errorf("%s is or is not a secret", *v.Name)
		}
	}
	if *container.LivenessProbe.HTTPGet.Path != "/livez" || *container.ReadinessProbe.HTTPGet.Path != "/readyz" {
		t.Error("the probes ask elsewhere")
	}
	if !slices.Contains(armcontainerinstance.PossibleContainerGroupRestartPolicyValues(), *group.Properties.RestartPolicy) ||
		!slices.Contains(armcontainerinstance.PossibleContainerGroupIPAddressTypeValues(), *group.Properties.IPAddress.Type) {
		t.Error("a value is none of those that the service knows")
	}
}

// missing names what is in one value and not, or otherwise, in the other.
func missing(sent, came any, path string) []string {
	var lost []string
	switch s := sent.(type) {
	case map[string]any:
		c, _ := came.(map[string]any)
		for name, value := range s {
			if _, ok := c[name]; !ok {
				lost = append(lost, path+"."+name)
				continue
			}
			lost = append(lost, missing(value, c[name], path+"."+name)...)
		}
	case []any:
		c, _ := came.([]any)
		if len(c) != len(s) {
			return []string{path}
		}
		for i := range s {
			lost = append(lost, missing(s[i], c[i], fmt.Sprintf("%s[%d]", path, i))...)
		}
	default:
		if !reflect.DeepEqual(sent, came) {
			lost = append(lost, path)
		}
	}
	return lost
}
