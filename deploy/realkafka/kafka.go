package realkafka

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
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

// A node that starts fast: few internal partitions, no wait for more group members. Sessions may be as short as a second, where the default would
// refuse anything under six, a broker that died is missed after three, and every topic is made on purpose.
const properties = `process.roles=broker,controller
node.id=%[1]d
listeners=PLAINTEXT://127.0.0.1:%[2]d,CONTROLLER://127.0.0.1:%[3]d
advertised.listeners=PLAINTEXT://127.0.0.1:%[2]d
controller.listener.names=CONTROLLER
controller.quorum.voters=%[4]s
listener.security.protocol.map=CONTROLLER:PLAINTEXT,PLAINTEXT:PLAINTEXT
log.dirs=%[5]s
offsets.topic.replication.factor=%[6]d
offsets.topic.num.partitions=4
transaction.state.log.replication.factor=%[6]d
transaction.state.log.min.isr=%[7]d
transaction.state.log.num.partitions=4
min.insync.replicas=%[7]d
group.initial.rebalance.delay.ms=0
group.min.session.timeout.ms=1000
broker.session.timeout.ms=3000
broker.heartbeat.interval.ms=500
auto.create.topics.enable=false
`

// Missed is after how long a controller has surely missed a broker that died.
const Missed = 4 * time.Second

// Start formats and starts one node and returns when it listens. It is stopped when the test ends.
func Start(t testing.TB) *Kafka {
	t.Helper()
	return StartCluster(t, 1)[0]
}

// StartCluster formats and starts a cluster of n nodes, each of them a broker and a controller, and returns when all listen. With three or more nodes
// internal topics are kept three times and a write needs two of the copies; a topic's own replication is its maker's choice.
func StartCluster(t testing.TB, n int) []*Kafka {
	t.Helper()
	return startCluster(t, n, func(*Kafka, int) (string, []string) { return "", nil })
}

// startCluster asks more for each node, before it is formatted, for properties that come after the common ones, where the last of a name wins, and for
// further arguments of the formatting.
func startCluster(t testing.TB, n int, more func(k *Kafka, controllerPort int) (properties string, format []string)) []*Kafka {
	t.Helper()
	java, jars := findJava(t), filepath.Join(Root(t), ".deps", "kafka")
	if _, err := os.Stat(filepath.Join(jars, "kafka_2.13-4.4.0.jar")); err != nil {
		Missing(t, "Apache Kafka 4.4.0 is not installed; `make setup-test` gets it")
	}
	ports, voters := freePorts(t, 2*n), make([]string, n)
	for i := range voters {
		voters[i] = fmt.Sprintf("%d@127.0.0.1:%d", i+1, ports[n+i])
	}
	copies := min(n, 3)
	cluster := make([]*Kafka, n)
	for i := range cluster {
		k := &Kafka{t: t, dir: t.TempDir(), java: java, jars: jars, port: ports[i]}
		text := fmt.Sprintf(properties, i+1, ports[i], ports[n+i], strings.Join(voters, ","), filepath.Join(k.dir, "data"), copies, (copies+1)/2)
		extra, arguments := more(k, ports[n+i])
		if err := os.WriteFile(k.file("server.properties"), []byte(text+extra), 0o600); err != nil {
			t.Fatalf("write Kafka's settings: %v", err)
		}
		format := k.command("-Xmx128m", "kafka.tools.StorageTool", "format", "-t", "cGxhbmV0YWctdGVzdHMtMQ", "-c", k.file("server.properties"))
		format = append(format, arguments...)
		if out, err := exec.CommandContext(t.Context(), format[0], format[1:]...).CombinedOutput(); err != nil {
			t.Fatalf("format Kafka's storage: %v\n%s", err, out)
		}
		cluster[i] = k
	}
	for _, k := range cluster { // side by side: one alone is no majority, and listens only when it is one
		k.launch()
		t.Cleanup(k.Stop)
	}
	for _, k := range cluster {
		k.await()
	}
	return cluster
}

// Addr is the broker's address, host:port; it stays the same over restarts.
func (k *Kafka) Addr() string { return fmt.Sprintf("127.0.0.1:%d", k.port) }

// Data is the directory of its logs, for looking into them after a failure.
func (k *Kafka) Data() string { return filepath.Join(k.dir, "data") }

// Kill9 ends the broker without warning, as a power failure would.
func (k *Kafka) Kill9() { k.process.kill9() }

// Restart starts a node that was killed or stopped, on the same port and data, and returns when it listens.
func (k *Kafka) Restart() {
	k.t.Helper()
	k.launch()
	k.await()
}

func (k *Kafka) launch() {
	k.t.Helper()
	// One compiler level and the simplest collector: a broker that lives for seconds has no use for more.
	argv := k.command("-Xmx768m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "kafka.Kafka", k.file("server.properties"))
	p, err := startProcess("Kafka", k.file("kafka.log"), argv...)
	if err != nil {
		k.t.Fatal(err)
	}
	k.process = p
}

func (k *Kafka) await() {
	k.t.Helper()
	if err := k.process.waitPort(k.Addr(), 90*time.Second); err != nil {
		k.process.kill9()
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
