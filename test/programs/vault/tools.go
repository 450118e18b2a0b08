//go:build tools

// Package vault pins the server that the tests of the authority vault run.
package vault

import _ "github.com/hashicorp/vault"
