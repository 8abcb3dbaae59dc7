package deploy_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"planetag/deploy/realkafka"
	"planetag/deploy/secrets"
)

// TestASecuredKafkaIsUsedWithTheLeastRights runs workers against a broker with TLS, SASL and an authorizer that denies what was not allowed: each mistake
// ends the worker with one line that names the remedy and leaves every topic as it was, and then the rights of docs/security.md, and no others, are enough
// for everything.
func TestASecuredKafkaIsUsedWithTheLeastRights(t *testing.T) {
	rows := grants(t)
	users := map[string]string{"photos": secrets.Of("photos"), "albums": secrets.Of("albums"), "nobody": secrets.Of("nobody")}
	for i := range rows {
		users[lacking(i)] = secrets.Of(lacking(i))
	}
	f := newFortress(t, users)
	for _, stage := range []string{"photos", "albums"} {
		f.allow(t, stage, ofStage(rows, stage))
	}
	for i, row := range rows {
		mates := ofStage(rows, row.stage)
		f.allow(t, lacking(i), slices.DeleteFunc(mates, func(g grant) bool { return g.command("") == row.command("") }))
	}
	sent := tinySamples(t, f)
	t.Run("planetag check tells every missing right", func(t *testing.T) { f.checkTellsRights(t, rows) })
	t.Run("every mistake is told", func(t *testing.T) { f.tellMistakes(t) })
	t.Run("every missing right is told", func(t *testing.T) {
		for i, row := range rows {
			t.Run(fmt.Sprintf("%s without %s on %s", row.stage, row.operation, row.name), func(t *testing.T) {
				settings := with(f.settings(t, lacking(i), users[lacking(i)]), "STAGES", row.stage)
				f.refused(t, settings, 78, row.operation, row.resourceWord(), fmt.Sprintf("%q", row.name), row.command(lacking(i)))
			})
		}
	})
	f.untouched(t)
	if t.Failed() {
		return
	}
	f.workWithLeastRights(t, sent)
	t.Run("no page and no dump shows a secret", f.showNothing)
}

// lacking is the user who has all rights but those of one row.
func lacking(row int) string { return fmt.Sprintf("lacking-%d", row) }

// resourceWord is how an error calls the kind of resource.
func (g grant) resourceWord() string {
	if g.resource == "transactional-id" {
		return "transactional ids"
	}
	return g.resource
}

// command is how the right is given to a user.
func (g grant) command(user string) string {
	text := fmt.Sprintf("--add --allow-principal User:%s --operation %s --%s %s", user, g.operation, g.resource, g.name)
	if g.resource == "transactional-id" {
		text += " --resource-pattern-type prefixed"
	}
	return text
}

// tellMistakes runs a worker with each mistake that the connection can have.
func (f *fortress) tellMistakes(t *testing.T) {
	right := f.settings(t, "photos", secrets.Of("photos"))
	stranger := fileOf(t, "ca.pem", otherAuthority(t))
	for _, row := range []struct {
		story  string
		change []string
		status int
		says   []string
	}{
		{"a wrong password", []string{"KAFKA_SASL_PASSWORD", secrets.Of("wrong")}, 78, []string{"authentication failed", "SCRAM-SHA-512", "kafka.sasl.password"}},
		{"a wrong password, plain", []string{"KAFKA_SASL_PASSWORD", secrets.Of("wrong"), "KAFKA_SASL_MECHANISM", "plain"}, 78, []string{"authentication failed", "PLAIN"}},
		{"an unknown user", []string{"KAFKA_SASL_USERNAME", "unknown"}, 78, []string{"authentication failed", "kafka.sasl.username"}},
		{"no user at all", []string{"KAFKA_SASL_USERNAME", "", "KAFKA_SASL_PASSWORD", "", "KAFKA_SASL_MECHANISM", ""}, 78, []string{"set kafka.sasl.mechanism"}},
		{"no authority", []string{"KAFKA_TLS_CA_FILE", ""}, 78, []string{"certificate refused", "kafka.tls.ca_file"}},
		{"another authority", []string{"KAFKA_TLS_CA_FILE", stranger}, 78, []string{"certificate refused", "kafka.tls.ca_file"}},
		{"a certificate of another host", []string{"KAFKA_BROKERS", f.kafka.WrongHost}, 78, []string{"certificate refused", "kafka.tls.server_name"}},
		{"a certificate out of its time", []string{"KAFKA_BROKERS", f.kafka.Expired}, 78, []string{"certificate refused", "expired", "renew it"}},
		{"no TLS", []string{"KAFKA_TLS_ENABLED", "false", "KAFKA_TLS_CA_FILE", ""}, 69, []string{"no answer as from a kafka broker", "kafka.tls.enabled"}},
		{"TLS where there is none", []string{"KAFKA_BROKERS", f.store.URL[len("http://"):]}, 78, []string{"certificate refused", "kafka.tls.enabled: false"}},
		{"nobody there", []string{"KAFKA_BROKERS", realkafka.FreeAddress(t)}, 69, []string{"connection refused"}},
		{"a file of the password that is not there", []string{"KAFKA_SASL_PASSWORD", "", "KAFKA_SASL_PASSWORD_FILE", "/nowhere/password"}, 78, []string{"kafka.sasl.password_file"}},
		{"a wrong key of the store", []string{"STAGES", "photos", "S3_SECRET_KEY", secrets.Of("wrong")}, 78, []string{"storage is set wrong", "s3.secret_key"}},
		{"an unknown user of the store", []string{"STAGES", "photos", "S3_ACCESS_KEY", "unknown"}, 78, []string{"storage is set wrong", "s3.access_key"}},
	} {
		t.Run(row.story, func(t *testing.T) { f.refused(t, with(right, row.change...), row.status, row.says...) })
	}
	t.Run("a user without rights", func(t *testing.T) {
		words := f.ending(t, f.settings(t, "nobody", secrets.Of("nobody")), 78)
		for _, topic := range []string{"photos", "planetag.backfill", "planetag.embeddings", "planetag.locations", "planetag.dead-letters"} {
			if !strings.Contains(words, fmt.Sprintf(`on topic %q: run`, topic)) {
				t.Errorf("nothing is said of topic %s:\n%s", topic, words)
			}
		}
		if lines := strings.Count(words, "\n") + 1; lines != 5 {
			t.Errorf("%d lines, want one for each topic:\n%s", lines, words)
		}
	})
}
