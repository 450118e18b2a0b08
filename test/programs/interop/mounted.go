package main

import (
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"log"
	"os"
	"path/filepath"
	"sync"
)

// Mounted reads a certificate, its key and the trusted CAs from the folder where a Secret is mounted, and reads them
// again when the kubelet has replaced them.
type Mounted struct {
	Folder string

	mutex   sync.Mutex
	target  string
	current *Material
	// The target that could not be read, so that it is logged once.
	failed string
}

// Material is of one version of the Secret.
type Material struct {
	Certificate tls.Certificate
	CAs         *x509.CertPool
}

// Current returns the newest material that can be read. It costs one readlink where nothing has changed, so it can be
// called for each handshake.
func (m *Mounted) Current() (*Material, error) {
	m.mutex.Lock()
	defer m.mutex.Unlock()
	target, err := os.Readlink(filepath.Join(m.Folder, "..data"))
	if err == nil && target == m.target {
		return m.current, nil
	}
	if err == nil {
		var fresh *Material
		if fresh, err = read(filepath.Join(m.Folder, target)); err == nil {
			m.target, m.current = target, fresh
			return fresh, nil
		}
	}
	if m.current == nil {
		return nil, err
	}
	// The kubelet removes the old folder right after it has set the link: the next call finds the new one.
	if target != m.failed {
		log.Printf("%s: %v; the former certificate stays in use", m.Folder, err)
		m.failed = target
	}
	return m.current, nil
}

// All files come from one resolved folder: through the link they could be of two versions.
func read(folder string) (*Material, error) {
	certificate, err := tls.LoadX509KeyPair(filepath.Join(folder, "tls.crt"), filepath.Join(folder, "tls.key"))
	if err != nil {
		return nil, err
	}
	cas, err := readCAs(filepath.Join(folder, "ca.crt"))
	if err != nil {
		return nil, err
	}
	return &Material{Certificate: certificate, CAs: cas}, nil
}

func readCAs(file string) (*x509.CertPool, error) {
	bundle, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	pool := x509.NewCertPool()
	if !pool.AppendCertsFromPEM(bundle) {
		return nil, fmt.Errorf("%s: no certificate in PEM", file)
	}
	return pool, nil
}

// ServerConfig asks every client for a certificate. The callback runs for each handshake, so a new certificate and new
// CAs count from the next connection on.
func (m *Mounted) ServerConfig(protocols ...string) *tls.Config {
	return &tls.Config{
		NextProtos: protocols,
		GetConfigForClient: func(*tls.ClientHelloInfo) (*tls.Config, error) {
			material, err := m.Current()
			if err != nil {
				return nil, err
			}
			return &tls.Config{
				Certificates: []tls.Certificate{material.Certificate},
				ClientAuth:   tls.RequireAndVerifyClientCert,
				ClientCAs:    material.CAs,
				NextProtos:   protocols,
			}, nil
		},
	}
}

// ClientConfig has callbacks, since GetClientCertificate sends the certificate whatever CAs the server lists. With
// Certificates, Go sends none where the list lacks the issuer, and the server then reports a missing certificate.
func (m *Material) ClientConfig() *tls.Config {
	return &tls.Config{
		RootCAs: m.CAs,
		GetClientCertificate: func(*tls.CertificateRequestInfo) (*tls.Certificate, error) {
			return &m.Certificate, nil
		},
	}
}
