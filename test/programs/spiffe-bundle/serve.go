package main

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/json"
	"io"
	"log"
	"math/big"
	"net"
	"net/http"
	"net/url"
	"os"
	"time"

	"github.com/spiffe/go-spiffe/v2/bundle/spiffebundle"
	"github.com/spiffe/go-spiffe/v2/federation"
	"github.com/spiffe/go-spiffe/v2/spiffeid"
	"github.com/spiffe/go-spiffe/v2/spiffetls/tlsconfig"
	"github.com/spiffe/go-spiffe/v2/svid/x509svid"
)

// serve is a bundle endpoint of a trust domain: the handler of go-spiffe's package federation, over a CA that this program
// is itself. Arguments: the trust domain, and for https_web the files of the server's certificate and key; without them
// the profile is https_spiffe. After each command, a line of the standard input, it answers one line with its state:
//
//	state     nothing changes
//	prepare   a further CA is in the bundle
//	activate  the newest CA signs the server's certificate
//	retire    the oldest CA leaves the bundle
//	away      nothing listens at the port any more
//	back      it listens again
func serve(arguments []string) {
	domain := spiffeid.RequireTrustDomainFromString(arguments[0])
	endpoint := &endpoint{
		domain: domain,
		id:     spiffeid.RequireFromPath(domain, "/spire/server"),
		bundle: spiffebundle.New(domain),
	}
	endpoint.bundle.SetRefreshHint(10 * time.Minute)
	must(endpoint.bundle.AddJWTAuthority("jwt", newKey().Public()))
	endpoint.prepare()
	endpoint.activate()
	if len(arguments) == 3 {
		pair, err := tls.LoadX509KeyPair(arguments[1], arguments[2])
		must(err)
		endpoint.tls = &tls.Config{Certificates: []tls.Certificate{pair}, MinVersion: tls.VersionTLS12}
	} else {
		endpoint.tls = tlsconfig.TLSServerConfig(endpoint)
	}
	endpoint.listen("127.0.0.1:0")
	out := json.NewEncoder(os.Stdout)
	must(out.Encode(endpoint.state()))
	for command := range lines() {
		switch command {
		case "prepare":
			endpoint.prepare()
		case "activate":
			endpoint.activate()
		case "retire":
			endpoint.bundle.RemoveX509Authority(endpoint.bundle.X509Authorities()[0])
		case "away":
			must(endpoint.server.Close())
		case "back":
			endpoint.listen(endpoint.address)
		}
		must(out.Encode(endpoint.state()))
	}
}

type authority struct {
	certificate *x509.Certificate
	key         crypto.Signer
}

type endpoint struct {
	domain  spiffeid.TrustDomain
	id      spiffeid.ID
	bundle  *spiffebundle.Bundle
	newest  authority
	svid    *x509svid.SVID
	tls     *tls.Config
	server  *http.Server
	address string
	changes uint64
}

type state struct {
	URL    string          `json:"url"`
	ID     string          `json:"id"`
	Bundle json.RawMessage `json:"bundle"`
}

func (e *endpoint) state() state {
	document, err := e.bundle.Marshal()
	must(err)
	return state{URL: "https://" + e.address, ID: e.id.String(), Bundle: document}
}

// GetX509SVID is what go-spiffe asks at each handshake.
func (e *endpoint) GetX509SVID() (*x509svid.SVID, error) {
	return e.svid, nil
}

func (e *endpoint) listen(address string) {
	handler, err := federation.NewHandler(e.domain, e.bundle)
	must(err)
	listener, err := net.Listen("tcp", address)
	must(err)
	e.address = listener.Addr().String()
	e.server = &http.Server{Handler: handler, TLSConfig: e.tls, ReadHeaderTimeout: 10 * time.Second, ErrorLog: log.New(io.Discard, "", 0)}
	go func() { _ = e.server.ServeTLS(listener, "", "") }()
}

func (e *endpoint) prepare() {
	e.changes++
	key := newKey()
	template := e.template("SPIFFE", &url.URL{Scheme: "spiffe", Host: e.domain.Name()})
	template.IsCA = true
	template.BasicConstraintsValid = true
	template.KeyUsage = x509.KeyUsageCertSign | x509.KeyUsageCRLSign
	e.newest = authority{sign(template, template, key.Public(), key), key}
	e.bundle.AddX509Authority(e.newest.certificate)
	e.bundle.SetSequenceNumber(e.changes)
}

func (e *endpoint) activate() {
	key := newKey()
	template := e.template("SPIRE", e.id.URL())
	template.KeyUsage = x509.KeyUsageDigitalSignature
	template.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth}
	leaf := sign(template, e.newest.certificate, key.Public(), e.newest.key)
	e.svid = &x509svid.SVID{ID: e.id, Certificates: []*x509.Certificate{leaf}, PrivateKey: key}
}

// As SPIRE names them: all CAs of all trust domains have one subject, and all SVIDs another.
func (e *endpoint) template(organization string, uri *url.URL) *x509.Certificate {
	serial, err := rand.Int(rand.Reader, new(big.Int).Lsh(big.NewInt(1), 100))
	must(err)
	now := time.Now()
	return &x509.Certificate{
		SerialNumber: serial,
		Subject:      pkix.Name{Country: []string{"US"}, Organization: []string{organization}},
		URIs:         []*url.URL{uri},
		NotBefore:    now.Add(-time.Minute),
		NotAfter:     now.Add(24 * time.Hour),
	}
}

func sign(template, parent *x509.Certificate, public crypto.PublicKey, signer crypto.Signer) *x509.Certificate {
	der, err := x509.CreateCertificate(rand.Reader, template, parent, public, signer)
	must(err)
	certificate, err := x509.ParseCertificate(der)
	must(err)
	return certificate
}

func newKey() *ecdsa.PrivateKey {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	must(err)
	return key
}
