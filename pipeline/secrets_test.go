package pipeline

import (
	"bytes"
	"encoding/json"
	"fmt"
	"log/slog"
	"strings"
	"testing"

	"github.com/goccy/go-yaml"

	"planetag/deploy/secrets"
)

// TestNoMistakeInAFileShowsTheSecretBesideIt makes mistakes of every kind in the neighbourhood of a secret. SECRET stands for it.
func TestNoMistakeInAFileShowsTheSecretBesideIt(t *testing.T) {
	for story, text := range map[string]string{
		"a misspelt neighbour":         "s3:\n  secret_key: SECRET\n  acess_key: a\n",
		"a misspelt neighbour before":  "s3:\n  acess_key: a\n  secret_key: SECRET\n",
		"a misspelt key of its own":    "s3:\n  sekret_key: SECRET\n",
		"a right key, wrong section":   "kafka:\n  password: SECRET\n",
		"a wrong value beside":         "s3:\n  secret_key: SECRET\n  timeout: 5\n",
		"a colon in it":                "s3:\n  secret_key: SECRET: b\n",
		"a quote that does not end":    "s3:\n  secret_key: \"SECRET\n  region: eu\n",
		"a list":                       "s3:\n  secret_key: [SECRET, 1]\n",
		"a list in lines":              "s3:\n  secret_key:\n    - SECRET\n",
		"a mapping":                    "s3:\n  secret_key: {a: SECRET}\n",
		"twice":                        "s3:\n  secret_key: SECRET\n  secret_key: SECRET\n",
		"a tab":                        "s3:\n\tsecret_key: SECRET\n",
		"in a section's place":         "s3: SECRET\n",
		"a text of several lines":      "s3:\n  secret_key: |\n    SECRET\n   x\n  timeout: 5\n",
		"without its key":              "s3:\n  SECRET\n  region: eu\n",
		"in a comment":                 "s3:\n  # secret_key: SECRET\n  region: eu # was SECRET\n  timeout: 5\n",
		"sections in one line":         "kafka: {sasl: {password: SECRET}}\nlogs: {}\n",
		"a known key in one line":      "stages: {password: SECRET}\nlogs: {}\n",
		"a wrong tag":                  "kafka:\n  sasl:\n    password: !!int SECRET\n    nmae: a\n",
		"an anchor":                    "s3:\n  secret_key: &here SECRET\n  region: *there\n",
		"a value that is wrong itself": "s3:\n  access_key: a\n  secret_key: SECRET\nlog: {level: loud}\n",
		"both ways at once":            "s3:\n  access_key: a\n  secret_key: SECRET\n  secret_key_file: /nowhere\n",
	} {
		_, err := load(t, strings.ReplaceAll(text, "SECRET", secrets.Of("file")), nil)
		if err == nil {
			t.Errorf("%s: no mistake was found", story)
			continue
		}
		if as, found := secrets.Find(err.Error()); found {
			t.Errorf("%s: the error shows the secret, %s", story, as)
		}
	}
}

func TestTheExcerptKeepsWhatCannotBeASecret(t *testing.T) {
	_, err := load(t, "s3:\n  endpoint: http://store:9000\n  secret_key: "+secrets.Of("file")+"\n  timeout: 5\n  region: eu\n", nil)
	want := "   1 | s3:\n   2 |   endpoint: http://store:9000\n   3 |   secret_key: ********\n>  4 |   timeout: 5\n                  ^\n   5 |   region: eu"
	if err == nil || !strings.HasSuffix(err.Error(), want) {
		t.Errorf("got:\n%v\nwant it to end with:\n%s", err, want)
	}
}

func TestASecretOfTheEnvironmentIsNotInItsError(t *testing.T) {
	_, err := load(t, "", map[string]string{
		"PLANETAG_S3_SECRET_KEY": secrets.Of("environment"), "PLANETAG_KAFKA_SASL_PASSWORD": secrets.Of("environment"), "PLANETAG_BATCH_RUNNERS": "x",
	})
	if err == nil {
		t.Fatal("no mistake was found")
	}
	secrets.Check(t, "the error", err.Error())
}

// TestNoFormOfTheConfigurationShowsASecret prints it in every way in which somebody might, as a whole and as what package consumer is given.
func TestNoFormOfTheConfigurationShowsASecret(t *testing.T) {
	c := DefaultConfig()
	c.S3.AccessKey, c.S3.SecretKey = "a", Secret(secrets.Of("s3"))
	c.Kafka.SASL = SASLConfig{Mechanism: "plain", Username: "u", Password: Secret(secrets.Of("sasl"))}
	client, err := c.ClientConfig(nil, nil)
	if err != nil || client.SASL.Password != secrets.Of("sasl") {
		t.Fatalf("the client is not given the password: %v", err)
	}
	var printed bytes.Buffer
	if err := (Loaded{Config: c}).Print(&printed); err != nil {
		t.Fatal(err)
	}
	log := slog.New(slog.NewJSONHandler(&printed, nil))
	text := slog.New(slog.NewTextHandler(&printed, nil))
	for _, value := range []any{c, &c, client, &client, client.SASL, &client.SASL, c.Kafka.SASL, c.S3, c.S3.SecretKey, []any{c.S3.SecretKey}} {
		fmt.Fprintf(&printed, "%v %+v %#v %s %q\n", value, value, value, value, value)
		log.Info("a configuration", "value", value)
		text.Info("a configuration", "value", value)
		for _, marshal := range []func(any) ([]byte, error){json.Marshal, yaml.Marshal} {
			if written, err := marshal(value); err == nil {
				printed.Write(written)
			}
		}
	}
	secrets.Check(t, "what was printed", printed.String())
}
