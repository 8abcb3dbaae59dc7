package realkafka

import (
	"errors"
	"testing"

	"planetag/consumer"
	"planetag/deploy/secrets"
)

// TestEveryMechanismOverTLSLetsTheRightPasswordIn asks real Kafka what the embedded broker cannot prove.
func TestEveryMechanismOverTLSLetsTheRightPasswordIn(t *testing.T) {
	k := StartSecure(t, map[string]string{"somebody": secrets.Of("somebody")})
	for _, mechanism := range []string{"plain", "scram-sha-256", "scram-sha-512"} {
		t.Run(mechanism, func(t *testing.T) {
			ping := func(address, password string) error {
				client, err := consumer.NewClient(consumer.Config{
					Brokers: []string{address}, TLS: k.TLS(),
					SASL: consumer.SASL{Mechanism: mechanism, Username: "somebody", Password: password},
				})
				if err != nil {
					t.Fatal(err)
				}
				defer client.Close()
				return client.Ping(t.Context())
			}
			if err := ping(k.Addr(), secrets.Of("somebody")); err != nil {
				t.Errorf("the right password: %v", err)
			}
			err := ping(k.Addr(), secrets.Of("wrong"))
			if !errors.Is(err, consumer.ErrAuthentication) {
				t.Errorf("a wrong password: %v", err)
			}
			secrets.Check(t, "the error", err.Error())
			for story, address := range map[string]string{"another host's certificate": k.WrongHost, "a certificate out of its time": k.Expired} {
				if err := ping(address, secrets.Of("somebody")); !errors.Is(err, consumer.ErrCertificate) {
					t.Errorf("%s: %v", story, err)
				}
			}
		})
	}
}
