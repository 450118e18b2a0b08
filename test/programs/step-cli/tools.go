//go:build tools

// Package tools pins the step CLI that the tests set step-ca up with.
package tools

import _ "github.com/smallstep/cli/cmd/step"
