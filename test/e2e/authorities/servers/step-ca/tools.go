//go:build tools

// Package tools pins the step-ca that the tests speak to.
package tools

import _ "github.com/smallstep/certificates/cmd/step-ca"
