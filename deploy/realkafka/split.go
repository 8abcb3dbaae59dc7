package realkafka

import (
	"fmt"
	"testing"
)

// StartSplit starts one broker with its controller in a process of its own, and returns the broker. It is what a test needs that kills the only broker:
// Apache Kafka 4.4.0 in one process for both comes back believing that it still leads its partitions, loads its open transactions, and drops the markers
// of those that were about to be committed once the controller has taken the leadership away ("these partitions are likely deleted already and hence
// can be skipped", says its log). Behind a controller that lives on and has missed the broker for longer than its session, it does not.
func StartSplit(t testing.TB) *Kafka {
	t.Helper()
	alone := "offsets.topic.replication.factor=1\ntransaction.state.log.replication.factor=1\ntransaction.state.log.min.isr=1\nmin.insync.replicas=1\n"
	controller := 0
	cluster := startCluster(t, 2, func(k *Kafka, controllerPort int) (string, []string) {
		if controller == 0 {
			controller = controllerPort
			k.port = controllerPort
			return alone + fmt.Sprintf("process.roles=controller\nlisteners=CONTROLLER://127.0.0.1:%d\nadvertised.listeners=CONTROLLER://127.0.0.1:%[1]d\n"+
				"controller.quorum.voters=1@127.0.0.1:%[1]d\n", controllerPort), nil
		}
		return alone + fmt.Sprintf("process.roles=broker\nlisteners=PLAINTEXT://127.0.0.1:%d\ncontroller.quorum.voters=1@127.0.0.1:%d\n", k.port, controller), nil
	})
	return cluster[1]
}
