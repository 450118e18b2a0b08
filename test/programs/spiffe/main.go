// Command spiffe says what github.com/spiffe/go-spiffe makes of certificates. Each line of its input is a certificate with its
// private key (both DER, base64, with a space between them); each line of its output is the reason of a refusal, or an empty
// line.
package main

import (
	"bufio"
	"crypto/x509"
	"encoding/base64"
	"fmt"
	"os"
	"runtime/debug"
	"strings"

	"github.com/spiffe/go-spiffe/v2/svid/x509svid"
)

func main() {
	if len(os.Args) > 1 {
		version()
		return
	}
	out := bufio.NewWriter(os.Stdout)
	lines := bufio.NewScanner(os.Stdin)
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		fmt.Fprintln(out, oneLine(problem(lines.Text())))
		must(out.Flush())
	}
	must(lines.Err())
}

// problem is what a workload hears that loads the pair as its SVID, or what a peer says of the certificate.
func problem(line string) string {
	certificate, key, _ := strings.Cut(line, " ")
	certDER, err := base64.StdEncoding.DecodeString(certificate)
	must(err)
	keyDER, err := base64.StdEncoding.DecodeString(key)
	must(err)
	if _, err := x509svid.ParseRaw(certDER, keyDER); err != nil {
		return err.Error()
	}
	parsed, err := x509.ParseCertificate(certDER)
	must(err)
	if _, err := x509svid.IDFromCert(parsed); err != nil {
		return err.Error()
	}
	return ""
}

func oneLine(text string) string {
	return strings.Join(strings.Fields(text), " ")
}

func version() {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		panic("no build information")
	}
	for _, module := range info.Deps {
		if strings.Contains(module.Path, "go-spiffe") {
			fmt.Println(module.Path, module.Version)
		}
	}
}

func must(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}
