// Command go-x509 says what Go thinks of subject alternative names. Each line of its input is the value of that extension
// (DER, base64); each line of its output is "ok", "unreadable: " or "untrusted: " with the error of crypto/x509, for a
// certificate that has the extension and a CA with name constraints that exclude none of the names.
package main

import (
	"bufio"
	"crypto/ed25519"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"encoding/base64"
	"fmt"
	"math/big"
	"os"
	"runtime"
	"strings"
	"time"
)

func main() {
	if len(os.Args) > 1 {
		fmt.Println(runtime.Version())
		return
	}
	judge := newJudge()
	lines := bufio.NewScanner(os.Stdin)
	lines.Buffer(nil, 1<<20)
	out := bufio.NewWriter(os.Stdout)
	for lines.Scan() {
		answer := "ok"
		if err := judge.check(lines.Text()); err != nil {
			answer = strings.ReplaceAll(err.Error(), "\n", " ")
		}
		fmt.Fprintln(out, answer)
	}
	must(lines.Err())
	must(out.Flush())
}

type judge struct {
	ca  *x509.Certificate
	key ed25519.PrivateKey
}

// The CA has name constraints, since Go reads mail addresses and DNS names only where there are any.
func newJudge() judge {
	public, key, err := ed25519.GenerateKey(rand.Reader)
	must(err)
	template := template("ca")
	template.IsCA = true
	template.KeyUsage = x509.KeyUsageCertSign
	template.ExcludedDNSDomains = []string{"excluded.invalid"}
	template.ExcludedEmailAddresses = []string{"excluded.invalid"}
	der, err := x509.CreateCertificate(rand.Reader, template, template, public, key)
	must(err)
	ca, err := x509.ParseCertificate(der)
	must(err)
	return judge{ca, key}
}

func (j judge) check(line string) error {
	names, err := base64.StdEncoding.DecodeString(line)
	must(err)
	template := template("leaf")
	template.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth}
	template.ExtraExtensions = []pkix.Extension{{Id: asn1.ObjectIdentifier{2, 5, 29, 17}, Value: names}}
	der, err := x509.CreateCertificate(rand.Reader, template, j.ca, j.key.Public(), j.key)
	must(err)
	leaf, err := x509.ParseCertificate(der)
	if err != nil {
		return fmt.Errorf("unreadable: %w", err)
	}
	roots := x509.NewCertPool()
	roots.AddCert(j.ca)
	if _, err = leaf.Verify(x509.VerifyOptions{Roots: roots, KeyUsages: template.ExtKeyUsage}); err != nil {
		return fmt.Errorf("untrusted: %w", err)
	}
	return nil
}

func template(name string) *x509.Certificate {
	return &x509.Certificate{
		SerialNumber:          big.NewInt(1),
		Subject:               pkix.Name{CommonName: name},
		NotBefore:             time.Now().Add(-time.Hour),
		NotAfter:              time.Now().Add(time.Hour),
		BasicConstraintsValid: true,
	}
}

func must(err error) {
	if err != nil {
		panic(err)
	}
}
