package pipeline

import (
	"crypto/tls"
	"net/url"
	"regexp"
	"strings"
	"time"
)

// IndexConfig says into which search index `planetag index` writes, and in what portions.
type IndexConfig struct {
	BatchBytes Bytes            `yaml:"batch_bytes" env:"BATCH_BYTES"`
	BatchDelay Duration         `yaml:"batch_delay" env:"BATCH_DELAY"`
	Shape      string           `yaml:"shape" env:"SHAPE"` // "none", "circle" or "cell"
	OpenSearch OpenSearchConfig `yaml:"opensearch" envPrefix:"OPENSEARCH_"`
	PostGIS    PostGISConfig    `yaml:"postgis" envPrefix:"POSTGIS_"`
}

// OpenSearchConfig says how to reach OpenSearch or Elasticsearch. Without a user and a key no credentials are sent.
type OpenSearchConfig struct {
	Addresses    []string  `yaml:"addresses" env:"ADDRESSES"`
	Index        string    `yaml:"index" env:"INDEX"`
	Username     string    `yaml:"username" env:"USERNAME"`
	Password     Secret    `yaml:"password" env:"PASSWORD"`
	PasswordFile string    `yaml:"password_file" env:"PASSWORD_FILE"`
	APIKey       Secret    `yaml:"api_key" env:"API_KEY"`
	APIKeyFile   string    `yaml:"api_key_file" env:"API_KEY_FILE"`
	TLS          TLSConfig `yaml:"tls" envPrefix:"TLS_"`
}

// PostGISConfig says how to reach the database. How it is encrypted is part of the URL: sslmode, sslrootcert, sslcert, sslkey.
type PostGISConfig struct {
	URL          string `yaml:"url" env:"URL"`
	Password     Secret `yaml:"password" env:"PASSWORD"`
	PasswordFile string `yaml:"password_file" env:"PASSWORD_FILE"`
	Table        string `yaml:"table" env:"TABLE"`
}

func defaultIndex() IndexConfig {
	return IndexConfig{
		BatchBytes: 2 << 20, BatchDelay: Duration(500 * time.Millisecond), Shape: "none",
		OpenSearch: OpenSearchConfig{Addresses: []string{"http://localhost:9200"}, Index: "planetag-locations"},
		PostGIS:    PostGISConfig{URL: "postgres://postgres@localhost:5432/postgres", Table: "planetag_locations"},
	}
}

func (c Config) checkIndex(m *mistakes) {
	i := c.Index
	m.when(i.BatchBytes < 1<<10, "index.batch_bytes is %s; it must be at least 1KiB", i.BatchBytes)
	m.when(i.BatchBytes > c.Memory.Budget, "index.batch_bytes is %s, more than memory.budget (%s)", i.BatchBytes, c.Memory.Budget)
	m.positive("index.batch_delay", i.BatchDelay)
	m.oneOf("index.shape", i.Shape, "none", "circle", "cell")
	i.OpenSearch.check(m)
	i.PostGIS.check(m)
}

func (o OpenSearchConfig) check(m *mistakes) {
	m.when(len(o.Addresses) == 0, "index.opensearch.addresses is empty; name at least one, like http://localhost:9200")
	for _, address := range o.Addresses {
		u, err := url.Parse(address)
		m.when(err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https",
			"index.opensearch.addresses has an entry that is not a URL; write it like https://search:9200")
		m.when(err == nil && u.User != nil, "index.opensearch.addresses holds a user; set index.opensearch.username and password_file instead")
	}
	m.when(!regexp.MustCompile(`^[a-z0-9][a-z0-9._-]{0,199}$`).MatchString(o.Index),
		"index.opensearch.index is %q; it has small letters, digits, dots, hyphens and underscores", o.Index)
	password, key := o.Password != "" || o.PasswordFile != "", o.APIKey != "" || o.APIKeyFile != ""
	m.when(o.Password != "" && o.PasswordFile != "", "index.opensearch.password and index.opensearch.password_file are both set; keep one")
	m.when(o.APIKey != "" && o.APIKeyFile != "", "index.opensearch.api_key and index.opensearch.api_key_file are both set; keep one")
	m.when((o.Username != "") != password, "index.opensearch.username and a password (or password_file) go together; set both or neither")
	m.when(password && key, "index.opensearch has a password and an API key; keep one of them")
	m.when((o.TLS.CertFile == "") != (o.TLS.KeyFile == ""), "index.opensearch.tls.cert_file and key_file go together; set both or neither")
	off := o.TLS
	off.Enabled = false
	m.when(!o.TLS.Enabled && off != TLSConfig{}, "index.opensearch.tls.enabled is false, but other keys of index.opensearch.tls are set; set it to true")
	for _, address := range o.Addresses {
		m.when(o.TLS.Enabled && !strings.HasPrefix(address, "https://"), "index.opensearch.tls.enabled is true, but an address does not begin with https://")
	}
}

func (p PostGISConfig) check(m *mistakes) {
	u, err := url.Parse(p.URL)
	if err != nil || u.Scheme != "postgres" && u.Scheme != "postgresql" || u.Host == "" {
		m.add("index.postgis.url is not the URL of a database; write it like postgres://user@host:5432/database")
	} else if _, has := u.User.Password(); has || u.Query().Has("password") {
		m.add("index.postgis.url holds a password; set index.postgis.password_file instead")
	}
	m.when(p.Password != "" && p.PasswordFile != "", "index.postgis.password and index.postgis.password_file are both set; keep one")
	m.when(!regexp.MustCompile(`^([a-z_][a-z0-9_]{0,62}\.)?[a-z_][a-z0-9_]{0,62}$`).MatchString(p.Table),
		"index.postgis.table is %q; it is a name of small letters, digits and underscores, with a schema before a dot or without", p.Table)
}

// Secrets reads the password and the API key, of which at most one is set. An error names the key and wraps ErrConfig.
func (o OpenSearchConfig) Secrets() (password, apiKey string, err error) {
	if password, err = secret("index.opensearch.password_file", o.Password, o.PasswordFile); err != nil {
		return "", "", err
	}
	apiKey, err = secret("index.opensearch.api_key_file", o.APIKey, o.APIKeyFile)
	return password, apiKey, err
}

// Transport is what its https:// addresses are spoken to with; nil = the system's.
func (o OpenSearchConfig) Transport() (*tls.Config, error) { return o.TLS.load("index.opensearch.tls") }

// Secret reads the password; "" leaves it to the URL's own ways (a passfile, a client certificate).
func (p PostGISConfig) Secret() (string, error) {
	return secret("index.postgis.password_file", p.Password, p.PasswordFile)
}
