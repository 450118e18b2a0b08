package main

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"crypto/x509/pkix"
	"math/big"
	"net/url"
	"time"
)

const year = 365 * 24 * time.Hour

const servingCA = x509.KeyUsageKeyEncipherment | x509.KeyUsageDigitalSignature | x509.KeyUsageCertSign

// Each template repeats what the project's own code writes; the function that it follows stands above it.
var makers = map[string]func() error{
	"kubeadm":      func() error { return selfSigned(kubeadm(), rsaKey(2048)) },
	"k3s":          func() error { return selfSigned(k3s(), ecKey()) },
	"cert-manager": func() error { return selfSigned(certManager(), ecKey()) },
	"istio":        func() error { return selfSigned(istio(), rsaKey(2048)) },
	"consul":       func() error { return selfSigned(consul(), ecKey()) },
}

// k8s.io/client-go/util/cert.NewSelfSignedCACert, as kubeadm's pkiutil.NewCertificateAuthority calls it.
func kubeadm() *x509.Certificate {
	ca := authority(pkix.Name{CommonName: "kubernetes"}, 10*year, servingCA)
	ca.DNSNames = []string{"kubernetes"}
	return ca
}

// github.com/rancher/dynamiclistener/cert.NewSelfSignedCACert.
func k3s() *x509.Certificate {
	return authority(pkix.Name{CommonName: "k3s-client-ca@1700000000"}, 10*year, servingCA)
}

// github.com/cert-manager/cert-manager/pkg/util/pki.CertificateTemplateFromCertificate with isCA.
func certManager() *x509.Certificate {
	return authority(pkix.Name{CommonName: "my-selfsigned-ca"}, 90*24*time.Hour, servingCA)
}

// istio.io/istio/security/pkg/pki/util.GenCertKeyFromOptions for a self-signed CA.
func istio() *x509.Certificate {
	return authority(pkix.Name{Organization: []string{"cluster.local"}}, 10*year, x509.KeyUsageCertSign|x509.KeyUsageCRLSign)
}

// github.com/hashicorp/consul/tlsutil.GenerateCA.
func consul() *x509.Certificate {
	name := pkix.Name{
		Country:            []string{"US"},
		PostalCode:         []string{"94105"},
		Province:           []string{"CA"},
		Locality:           []string{"San Francisco"},
		StreetAddress:      []string{"101 Second Street"},
		Organization:       []string{"HashiCorp Inc."},
		OrganizationalUnit: []string{"Consul"},
		CommonName:         "Consul Agent CA 1",
	}
	ca := authority(name, 5*year, x509.KeyUsageCertSign|x509.KeyUsageCRLSign|x509.KeyUsageDigitalSignature)
	ca.URIs = []*url.URL{{Scheme: "spiffe", Host: "consul.example"}}
	return ca
}

func authority(subject pkix.Name, life time.Duration, usage x509.KeyUsage) *x509.Certificate {
	serial, err := rand.Int(rand.Reader, new(big.Int).Lsh(big.NewInt(1), 120))
	must(err)
	return &x509.Certificate{
		SerialNumber:          serial,
		Subject:               subject,
		NotBefore:             time.Now().Add(-time.Minute),
		NotAfter:              time.Now().Add(life),
		KeyUsage:              usage,
		BasicConstraintsValid: true,
		IsCA:                  true,
	}
}

func selfSigned(template *x509.Certificate, key crypto.Signer) error {
	if template.URIs != nil {
		// Consul names its key by SHA-256.
		public, err := x509.MarshalPKIXPublicKey(key.Public())
		must(err)
		id := sha256.Sum256(public)
		template.SubjectKeyId, template.AuthorityKeyId = id[:], id[:]
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	must(err)
	return writePair(der, key)
}

func rsaKey(bits int) crypto.Signer {
	key, err := rsa.GenerateKey(rand.Reader, bits)
	must(err)
	return key
}

func ecKey() crypto.Signer {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	must(err)
	return key
}

func must(err error) {
	if err != nil {
		panic(err)
	}
}
