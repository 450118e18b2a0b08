//go:build tools

// Package tools pins a program that checks the chart: nothing here is compiled into Certwheel.
package tools

import _ "github.com/zegl/kube-score/cmd/kube-score"
