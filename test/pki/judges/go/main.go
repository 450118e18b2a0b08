// Command go judges certificate paths with crypto/x509. Each line of its input is a path, leaf first and anchor last, as
// DER in base64 with spaces between, and is judged for each purpose that the leaf names; each line of its output is "ok" or the error. The argument is the time in seconds.
package main

import (
	"bufio"
	"crypto/x509"
	"encoding/base64"
	"fmt"
	"os"
	"strconv"
	"strings"
	"time"
)

func main() {
	seconds, err := strconv.ParseInt(os.Args[1], 10, 64)
	must(err)
	now := time.Unix(seconds, 0)
	lines := bufio.NewScanner(os.Stdin)
	lines.Buffer(nil, 1<<24)
	out := bufio.NewWriter(os.Stdout)
	for lines.Scan() {
		answer := "ok"
		if err := check(strings.Fields(lines.Text()), now); err != nil {
			answer = strings.ReplaceAll(err.Error(), "\n", " ")
		}
		fmt.Fprintln(out, answer)
	}
	must(lines.Err())
	must(out.Flush())
}

func check(path []string, now time.Time) error {
	var certificates []*x509.Certificate
	for _, each := range path {
		der, err := base64.StdEncoding.DecodeString(each)
		must(err)
		certificate, err := x509.ParseCertificate(der)
		if err != nil {
			return fmt.Errorf("unreadable: %w", err)
		}
		certificates = append(certificates, certificate)
	}
	last := len(certificates) - 1
	roots, intermediates := x509.NewCertPool(), x509.NewCertPool()
	roots.AddCert(certificates[last])
	for _, each := range certificates[1:last] {
		intermediates.AddCert(each)
	}
	for _, purpose := range purposes(certificates[0]) {
		_, err := certificates[0].Verify(x509.VerifyOptions{
			Roots:         roots,
			Intermediates: intermediates,
			CurrentTime:   now,
			KeyUsages:     []x509.ExtKeyUsage{purpose},
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// Verify is content if one of several purposes fits, so each is asked for by itself.
func purposes(leaf *x509.Certificate) []x509.ExtKeyUsage {
	if len(leaf.ExtKeyUsage) == 0 {
		return []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth}
	}
	return leaf.ExtKeyUsage
}

func must(err error) {
	if err != nil {
		panic(err)
	}
}
