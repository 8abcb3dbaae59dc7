package realkafka

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"testing"
	"time"
)

// Kafka is one Apache Kafka 4.4.0 node: broker and controller in one process, data in the test's temporary directory.
type Kafka struct {
	t          testing.TB
	dir        string
	java, jars string
	port       int
	process    *process
}

// A single node that starts fast: few internal partitions, no wait for more group members, no replication. Sessions may be as short as a second, where
// the default would refuse anything under six, and every topic is made on purpose.
const properties = `process.roles=broker,controller
node.id=1
listeners=PLAINTEXT://127.0.0.1:%[1]d,CONTROLLER://127.0.0.1:%[2]d
advertised.listeners=PLAINTEXT://127.0.0.1:%[1]d
controller.listener.names=CONTROLLER
controller.quorum.voters=1@127.0.0.1:%[2]d
listener.security.protocol.map=CONTROLLER:PLAINTEXT,PLAINTEXT:PLAINTEXT
log.dirs=%[3]s
offsets.topic.replication.factor=1
offsets.topic.num.partitions=4
transaction.state.log.replication.factor=1
transaction.state.log.min.isr=1
transaction.state.log.num.partitions=4
group.initial.rebalance.delay.ms=0
group.min.session.timeout.ms=1000
auto.create.topics.enable=false
`

// Start formats and starts a node and returns when it listens. It is stopped when the test ends.
func Start(t testing.TB) *Kafka {
	t.Helper()
	k := &Kafka{t: t, dir: t.TempDir(), java: findJava(t), jars: filepath.Join(Root(t), ".deps", "kafka")}
	if _, err := os.Stat(filepath.Join(k.jars, "kafka_2.13-4.4.0.jar")); err != nil {
		Missing(t, "Apache Kafka 4.4.0 is not installed; `make setup-test` gets it")
	}
	ports := freePorts(t, 2)
	k.port = ports[0]
	text := fmt.Sprintf(properties, ports[0], ports[1], filepath.Join(k.dir, "data"))
	if err := os.WriteFile(k.file("server.properties"), []byte(text), 0o600); err != nil {
		t.Fatalf("write Kafka's settings: %v", err)
	}
	format := k.command("-Xmx128m", "kafka.tools.StorageTool", "format", "-t", "cGxhbmV0YWctdGVzdHMtMQ", "-c", k.file("server.properties"))
	if out, err := exec.CommandContext(t.Context(), format[0], format[1:]...).CombinedOutput(); err != nil {
		t.Fatalf("format Kafka's storage: %v\n%s", err, out)
	}
	k.Restart()
	t.Cleanup(k.Stop)
	return k
}

// Addr is the broker's address, host:port; it stays the same over restarts.
func (k *Kafka) Addr() string { return fmt.Sprintf("127.0.0.1:%d", k.port) }

// Kill9 ends the broker without warning, as a power failure would.
func (k *Kafka) Kill9() { k.process.kill9() }

// Restart starts a node that was killed or stopped, on the same port and data, and returns when it listens.
func (k *Kafka) Restart() {
	k.t.Helper()
	// One compiler level and the simplest collector: a broker that lives for seconds has no use for more.
	argv := k.command("-Xmx768m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "kafka.Kafka", k.file("server.properties"))
	p, err := startProcess("Kafka", k.file("kafka.log"), argv...)
	if err != nil {
		k.t.Fatal(err)
	}
	k.process = p
	if err := p.waitPort(k.Addr(), 90*time.Second); err != nil {
		p.kill9()
		k.t.Fatal(err)
	}
}

// Stop ends the broker in order; it is safe to call twice.
func (k *Kafka) Stop() {
	k.process.terminate(10 * time.Second)
	if k.t.Failed() {
		k.t.Logf("Kafka's log ends:\n%s", k.process.tail())
	}
}

func (k *Kafka) file(name string) string { return filepath.Join(k.dir, name) }

func (k *Kafka) command(args ...string) []string {
	return append([]string{k.java, "-Dorg.slf4j.simpleLogger.defaultLogLevel=warn", "-cp", filepath.Join(k.jars, "*")}, args...)
}

var javaVersion = regexp.MustCompile(`version "(\d+)`)

// findJava returns a Java of at least 17, which Kafka 4 needs.
func findJava(t testing.TB) string {
	t.Helper()
	path, err := exec.LookPath("java")
	if err != nil {
		Missing(t, "no java on this machine, and Kafka needs 17 or later; `make setup-test` gets it")
	}
	out, err := exec.CommandContext(t.Context(), path, "-version").CombinedOutput()
	if err != nil {
		t.Fatalf("ask java for its version: %v\n%s", err, out)
	}
	found := javaVersion.FindSubmatch(out)
	if found == nil {
		Missing(t, fmt.Sprintf("java does not tell its version, and Kafka needs 17 or later: %s", out))
	}
	if major, _ := strconv.Atoi(string(found[1])); major < 17 {
		Missing(t, fmt.Sprintf("java is version %d, and Kafka needs 17 or later; `make setup-test` gets one", major))
	}
	return path
}
