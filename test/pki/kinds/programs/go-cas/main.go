// Command go-cas makes CA files as projects that are written in Go make them, and says whether
// crypto/tls can load a pair.
//
//	go-cas kubeadm|k3s|cert-manager|istio|consul   writes tls.crt and tls.key into the current folder
//	go-cas pair CRT KEY                            exit code 1 and the reason if crypto/tls can't load the pair
package main

import (
	"crypto/tls"
	"fmt"
	"os"
)

func main() {
	if err := run(os.Args[1:]); err != nil {
		fmt.Println(err)
		os.Exit(1)
	}
}

func run(args []string) error {
	switch {
	case len(args) == 3 && args[0] == "pair":
		_, err := tls.LoadX509KeyPair(args[1], args[2])
		return err
	case len(args) == 1 && makers[args[0]] != nil:
		return makers[args[0]]()
	}
	return fmt.Errorf("unknown command %q", args)
}
