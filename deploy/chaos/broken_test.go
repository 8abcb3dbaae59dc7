package chaos

import "testing"

// TestTheHarnessCatchesAWorkerThatCommitsOutsideOfItsTransactions runs what exactly_once must survive with a worker that publishes first and remembers later. If this finds
// nothing, a clean report means nothing either.
func TestTheHarnessCatchesAWorkerThatCommitsOutsideOfItsTransactions(t *testing.T) {
	if testing.Short() {
		t.Skip("needs a minute")
	}
	set := build(t, 1)
	r := row{
		name: "careless", injects: "SIGSTOP beyond the session time-out", workers: 2, references: 2000, albums: 100, faults: 3, strike: freezeWorkers,
		settings: map[string]string{"KAFKA_DELIVERY": "at_least_once"},
	}
	out, _ := perform(t, set, r, 1)
	t.Logf("found %d lost, %d twice, %d wrong", out.findings.Lost, out.findings.Twice, out.findings.Wrong)
	if out.findings.Twice == 0 {
		t.Error("zombies of a worker without transactions published nothing twice: either it is no zombie, or the harness is blind")
	}
	if out.findings.Lost > 0 {
		t.Errorf("%d lost: a worker that delivers at least once loses nothing", out.findings.Lost)
	}
}
