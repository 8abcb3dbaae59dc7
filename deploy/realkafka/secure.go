package realkafka

import (
	"crypto/tls"
	"fmt"
	"os"
	"strings"
	"testing"

	"planetag/deploy/secrets"
)

// Secure is a Kafka node that lets nobody in without TLS and a password, and lets nobody but its administrator do anything without an access control entry.
type Secure struct {
	*Kafka
	// CAFile holds the certificate of the authority that signed the node's.
	CAFile string
	// AdminPassword is that of the user "admin", who may do everything.
	AdminPassword string
	// WrongHost and Expired are the addresses, host:port, of further listeners of the same node: one has a certificate for another host, one has a
	// certificate that is no longer valid.
	WrongHost, Expired string

	ca *authority
}

// secured are the properties of a node whose every listener asks for TLS and SASL, the controller's too. A listener of the second kind is never used by
// the node itself, which would refuse its certificate.
const secured = `listeners=%[1]s,CONTROLLER://127.0.0.1:%[2]d
advertised.listeners=%[1]s
listener.security.protocol.map=CONTROLLER:SASL_SSL,CLIENTS:SASL_SSL,WRONGHOST:SASL_SSL,EXPIRED:SASL_SSL
inter.broker.listener.name=CLIENTS
sasl.enabled.mechanisms=PLAIN,SCRAM-SHA-256,SCRAM-SHA-512
sasl.mechanism.inter.broker.protocol=SCRAM-SHA-512
sasl.mechanism.controller.protocol=PLAIN
authorizer.class.name=org.apache.kafka.metadata.authorizer.StandardAuthorizer
allow.everyone.if.no.acl.found=false
super.users=User:admin
ssl.keystore.type=PEM
ssl.truststore.type=PEM
ssl.truststore.location=%[3]s
ssl.keystore.location=%[4]s
listener.name.wronghost.ssl.keystore.type=PEM
listener.name.wronghost.ssl.keystore.location=%[5]s
listener.name.expired.ssl.keystore.type=PEM
listener.name.expired.ssl.keystore.location=%[6]s
`

// StartSecure starts one node that asks for SASL over TLS and returns when it listens. users are those that it knows besides "admin", with their
// passwords, for each of the mechanisms PLAIN, SCRAM-SHA-256 and SCRAM-SHA-512; none of them may do anything.
func StartSecure(t testing.TB, users map[string]string) *Secure {
	t.Helper()
	s := &Secure{AdminPassword: secrets.Of("kafka-admin"), ca: newAuthority(t)}
	everybody := map[string]string{"admin": s.AdminPassword}
	for user, password := range users {
		everybody[user] = password
	}
	s.Kafka = startCluster(t, 1, func(k *Kafka, controllerPort int) (string, []string) {
		more := freePorts(t, 2)
		s.WrongHost, s.Expired = fmt.Sprintf("127.0.0.1:%d", more[0]), fmt.Sprintf("127.0.0.1:%d", more[1])
		s.CAFile = k.file("ca.pem")
		listeners := fmt.Sprintf("CLIENTS://%s,WRONGHOST://%s,EXPIRED://%s", k.Addr(), s.WrongHost, s.Expired)
		text := fmt.Sprintf(secured, listeners, controllerPort, s.CAFile, k.file("server.pem"), k.file("wronghost.pem"), k.file("expired.pem"))
		s.writeCertificates(k)
		return text + logins(everybody), scramArguments(everybody)
	})[0]
	secrets.WatchFile(t, s.file("kafka.log"))
	return s
}

// writeCertificates makes the files that the properties name.
func (s *Secure) writeCertificates(k *Kafka) {
	k.t.Helper()
	for name, content := range map[string][]byte{
		"ca.pem":        s.ca.certificatePEM(),
		"server.pem":    s.ca.issue(k.t, "127.0.0.1", valid()),
		"wronghost.pem": s.ca.issue(k.t, "kafka.example.org", valid()),
		"expired.pem":   s.ca.issue(k.t, "127.0.0.1", expired()),
	} {
		if err := os.WriteFile(k.file(name), content, 0o600); err != nil {
			k.t.Fatalf("write a certificate: %v", err)
		}
	}
}

// logins are the properties by which the listeners know users, where the mechanism keeps none in the cluster, and by which the node logs in to itself.
func logins(users map[string]string) string {
	var known, text strings.Builder
	for user, password := range users {
		fmt.Fprintf(&known, ` user_%s="%s"`, user, password)
	}
	admin := fmt.Sprintf(`username="admin" password="%s"`, users["admin"])
	for _, listener := range []string{"clients", "wronghost", "expired", "controller"} {
		fmt.Fprintf(&text, "listener.name.%s.plain.sasl.jaas.config=org.apache.kafka.common.security.plain.PlainLoginModule required %s%s;\n",
			listener, admin, known.String())
		for _, size := range []string{"256", "512"} {
			fmt.Fprintf(&text, "listener.name.%s.scram-sha-%s.sasl.jaas.config=org.apache.kafka.common.security.scram.ScramLoginModule required %s;\n",
				listener, size, admin)
		}
	}
	return text.String() + "listener.name.controller.sasl.enabled.mechanisms=PLAIN\n"
}

// scramArguments tell the formatting of the storage which users the cluster knows from its first moment on.
func scramArguments(users map[string]string) []string {
	var arguments []string
	for user, password := range users {
		for _, mechanism := range []string{"SCRAM-SHA-256", "SCRAM-SHA-512"} {
			arguments = append(arguments, "--add-scram", fmt.Sprintf("%s=[name=%s,password=%s]", mechanism, user, password))
		}
	}
	return arguments
}

// TLS is what a client needs that trusts the node.
func (s *Secure) TLS() *tls.Config {
	return &tls.Config{MinVersion: tls.VersionTLS12, RootCAs: s.ca.pool()}
}
