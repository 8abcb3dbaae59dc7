package deploy_test

import (
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/compose-spec/compose-go/v2/cli"
	"github.com/compose-spec/compose-go/v2/types"

	"planetag/deploy/realkafka"
)

// oneShots are the services that end by themselves; every other one must tell whether it is healthy.
var oneShots = []string{"seed"}

func loadCompose(t *testing.T) *types.Project {
	t.Helper()
	options, err := cli.NewProjectOptions([]string{filepath.Join(realkafka.Root(t), "docker-compose.yml")})
	if err != nil {
		t.Fatal(err)
	}
	project, err := options.LoadProject(t.Context())
	if err != nil {
		t.Fatalf("docker-compose.yml does not load: %v", err)
	}
	return project
}

func TestTheComposeFileHoldsTheWholeTopology(t *testing.T) {
	project := loadCompose(t)
	if got, want := project.ServiceNames(), []string{"kafka", "planetag", "seed", "versitygw"}; !slices.Equal(got, want) {
		t.Errorf("services %v, want %v", got, want)
	}
	for name, service := range project.Services {
		t.Run(name, func(t *testing.T) {
			checkHealth(t, name, service)
			checkImage(t, service)
			for _, port := range service.Ports {
				if port.HostIP != "127.0.0.1" {
					t.Errorf("port %s is published on %q, want 127.0.0.1", port.Published, port.HostIP)
				}
			}
		})
	}
}

func checkHealth(t *testing.T, name string, service types.ServiceConfig) {
	t.Helper()
	if slices.Contains(oneShots, name) {
		if service.Restart != "no" {
			t.Errorf("a one-shot service restarts: %q", service.Restart)
		}
		return
	}
	if service.HealthCheck == nil || len(service.HealthCheck.Test) == 0 || service.HealthCheck.Disable {
		t.Error("no health check")
	}
}

func checkImage(t *testing.T, service types.ServiceConfig) {
	t.Helper()
	if service.Build != nil {
		for _, path := range []string{service.Build.Context, filepath.Join(service.Build.Context, service.Build.Dockerfile)} {
			if _, err := os.Stat(path); err != nil {
				t.Errorf("build: %v", err)
			}
		}
		return
	}
	if !isPinned(service.Image) {
		t.Errorf("image %s is not pinned to a full version", service.Image)
	}
}

var fullVersion = regexp.MustCompile(`:v?\d+(\.\d+)*(-[a-z0-9.-]+)?$`)

func isPinned(image string) bool { return fullVersion.MatchString(image) }

func TestServicesWaitUntilWhatTheyNeedIsHealthy(t *testing.T) {
	project := loadCompose(t)
	for name, needs := range map[string][]string{"planetag": {"kafka", "versitygw"}, "seed": {"kafka", "planetag", "versitygw"}} {
		service := project.Services[name]
		got := slices.Sorted(slices.Values(service.GetDependencies()))
		if !slices.Equal(got, needs) {
			t.Errorf("%s waits for %v, want %v", name, got, needs)
		}
		for on, dependency := range service.DependsOn {
			if dependency.Condition != types.ServiceConditionHealthy {
				t.Errorf("%s waits until %s is %q, want healthy", name, on, dependency.Condition)
			}
		}
	}
}

func TestTheWorkerAndTheStoreAgreeOnCredentials(t *testing.T) {
	project := loadCompose(t)
	value := func(service, key string) string {
		v := project.Services[service].Environment[key]
		if v == nil {
			t.Fatalf("%s has no %s", service, key)
		}
		return *v
	}
	for _, service := range []string{"planetag", "seed"} {
		if value(service, "PLANETAG_S3_ACCESS_KEY") != value("versitygw", "ROOT_ACCESS_KEY") ||
			value(service, "PLANETAG_S3_SECRET_KEY") != value("versitygw", "ROOT_SECRET_KEY") {
			t.Errorf("%s has other credentials than versitygw", service)
		}
		advertised := "INSIDE://" + value(service, "PLANETAG_KAFKA_BROKERS")
		if !strings.Contains(value("kafka", "KAFKA_ADVERTISED_LISTENERS"), advertised) {
			t.Errorf("%s asks a broker address that Kafka does not advertise", service)
		}
	}
}

func TestWhatTheDockerfilesCopyExists(t *testing.T) {
	for _, file := range []string{"Dockerfile", "Dockerfile.cuda"} {
		t.Run(file, func(t *testing.T) { checkDockerfile(t, file) })
	}
}

func checkDockerfile(t *testing.T, file string) {
	t.Helper()
	root := realkafka.Root(t)
	text, err := os.ReadFile(filepath.Join(root, "deploy", file))
	if err != nil {
		t.Fatal(err)
	}
	user := ""
	for line := range strings.Lines(string(text)) {
		words := strings.Fields(line)
		switch {
		case len(words) > 1 && words[0] == "FROM" && !isPinned(words[1]):
			t.Errorf("base image %s is not pinned", words[1])
		case len(words) > 1 && words[0] == "USER":
			user = words[1]
		case len(words) > 2 && words[0] == "COPY" && !strings.HasPrefix(words[1], "--"):
			for _, source := range words[1 : len(words)-1] {
				if _, err := os.Stat(filepath.Join(root, source)); err != nil {
					t.Errorf("%s: %v", strings.TrimSpace(line), err)
				}
				checkNotIgnored(t, root, source)
			}
		}
	}
	if user == "" || user == "root" || user == "0" {
		t.Errorf("the image runs as %q, want a user without privileges", user)
	}
}

// checkNotIgnored fails when .dockerignore, which lists what travels to the build, does not list a source of COPY.
func checkNotIgnored(t *testing.T, root, source string) {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(root, ".dockerignore"))
	if err != nil {
		t.Fatal(err)
	}
	top, _, _ := strings.Cut(source, "/")
	if !slices.Contains(strings.Fields(string(text)), "!"+top) {
		t.Errorf(".dockerignore keeps %s out of the build", source)
	}
}
