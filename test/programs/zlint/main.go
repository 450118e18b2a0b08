// Command zlint runs the lints of github.com/zmap/zlint over certificates. Each line of its input is a certificate (DER,
// base64); each line of its output is a JSON list of its findings at notice and above.
package main

import (
	"bufio"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"os"
	"runtime/debug"
	"sort"

	"github.com/zmap/zcrypto/x509"
	"github.com/zmap/zlint/v3"
	"github.com/zmap/zlint/v3/lint"
)

// The rules of the RFCs and the general ones. All others are rules for CAs that browsers, mail programs or European law
// trust: CA/Browser Forum (TLS, EV, S/MIME, code signing), Mozilla, Apple, Chrome, ETSI.
var sources = lint.SourceList{
	lint.RFC3279, lint.RFC5280, lint.RFC5480, lint.RFC5891, lint.RFC6960, lint.RFC8813, lint.Community,
}

type finding struct {
	Code     string `json:"code"`
	Severity string `json:"severity"`
	Details  string `json:"details"`
}

func main() {
	registry, err := lint.GlobalRegistry().Filter(lint.FilterOptions{IncludeSources: sources})
	must(err)
	if len(os.Args) > 1 {
		version(registry)
		return
	}
	out := json.NewEncoder(os.Stdout)
	lines := bufio.NewScanner(os.Stdin)
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		der, err := base64.StdEncoding.DecodeString(lines.Text())
		must(err)
		must(out.Encode(findings(der, registry)))
	}
	must(lines.Err())
}

func findings(der []byte, registry lint.Registry) []finding {
	certificate, err := x509.ParseCertificate(der)
	if err != nil {
		return []finding{{"unreadable", lint.Fatal.String(), err.Error()}}
	}
	found := []finding{}
	for name, result := range zlint.LintCertificateEx(certificate, registry).Results {
		if result.Status >= lint.Notice {
			found = append(found, finding{name, result.Status.String(), result.Details})
		}
	}
	sort.Slice(found, func(i, j int) bool { return found[i].Code < found[j].Code })
	return found
}

func version(registry lint.Registry) {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		panic("no build information")
	}
	for _, dependency := range info.Deps {
		if dependency.Path == "github.com/zmap/zlint/v3" {
			fmt.Printf("zlint %s with %d lints\n", dependency.Version, len(registry.Names()))
		}
	}
}

func must(err error) {
	if err != nil {
		panic(err)
	}
}
