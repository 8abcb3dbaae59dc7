package consumer

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
)

// ErrCertificate means that one side of a TLS connection refused the other's
// certificate, or that there is no TLS on the other side.
var ErrCertificate = errors.New("certificate refused")

// explainTLS adds to the error of a handshake the setting that heals it. Other
// errors it returns as they are.
func explainTLS(err error) error {
	var (
		authority x509.UnknownAuthorityError
		host      x509.HostnameError
		invalid   x509.CertificateInvalidError
		alert     tls.AlertError
		plain     tls.RecordHeaderError
	)
	remedy := ""
	switch {
	case errors.As(err, &authority):
		remedy = "nobody trusted has signed the broker's; set kafka.tls.ca_file to its authority's"
	case errors.As(err, &host):
		remedy = "the broker's is for another host; use that name in kafka.brokers, or set kafka.tls.server_name to it"
	case errors.As(err, &invalid) && invalid.Reason == x509.Expired:
		remedy = "the broker's is out of its time; renew it, or set this machine's clock right"
	case errors.As(err, &invalid):
		remedy = "the broker's is not fit for a server; have it issued again, or set kafka.tls.ca_file"
	case errors.As(err, &plain):
		remedy = "there is none, the broker's port speaks no tls; set kafka.tls.enabled: false, or use its tls port in kafka.brokers"
	case errors.As(err, &alert):
		remedy = "the broker does not take ours; check kafka.tls.cert_file and kafka.tls.key_file"
	default:
		return err
	}
	return fmt.Errorf("%w: %s: %w", ErrCertificate, remedy, err)
}
