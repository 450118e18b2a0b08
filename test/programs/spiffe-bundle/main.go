// Command spiffe-bundle runs go-spiffe, the library of the SPIFFE project.
//
//	spiffe-bundle judge   reads bundles (base64, one a line) and says of each which X.509 authorities it has
//	spiffe-bundle serve   is a bundle endpoint that obeys commands, see serve.go
package main

import (
	"bufio"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"os"
	"runtime/debug"
	"sort"

	"github.com/spiffe/go-spiffe/v2/bundle/spiffebundle"
	"github.com/spiffe/go-spiffe/v2/spiffeid"
)

type verdict struct {
	// SHA-256 of each X.509 authority, sorted.
	Authorities []string `json:"authorities"`
	Problem     string   `json:"problem,omitempty"`
}

func main() {
	switch {
	case len(os.Args) == 2 && os.Args[1] == "judge":
		judge()
	case len(os.Args) > 2 && os.Args[1] == "serve":
		serve(os.Args[2:])
	default:
		version()
	}
}

func judge() {
	out := json.NewEncoder(os.Stdout)
	for line := range lines() {
		document, err := base64.StdEncoding.DecodeString(line)
		must(err)
		must(out.Encode(verdictOf(document)))
	}
}

func verdictOf(document []byte) verdict {
	bundle, err := spiffebundle.Parse(spiffeid.RequireTrustDomainFromString("partner.example"), document)
	if err != nil {
		return verdict{Authorities: []string{}, Problem: err.Error()}
	}
	authorities := []string{}
	for _, each := range bundle.X509Authorities() {
		sum := sha256.Sum256(each.Raw)
		authorities = append(authorities, hex.EncodeToString(sum[:]))
	}
	sort.Strings(authorities)
	return verdict{Authorities: authorities}
}

// The lines of the standard input.
func lines() func(func(string) bool) {
	return func(yield func(string) bool) {
		scanner := bufio.NewScanner(os.Stdin)
		scanner.Buffer(nil, 1<<22)
		for scanner.Scan() {
			if !yield(scanner.Text()) {
				return
			}
		}
		must(scanner.Err())
	}
}

func version() {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		fmt.Println("unknown")
		return
	}
	for _, module := range info.Deps {
		if module.Path == "github.com/spiffe/go-spiffe/v2" {
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
