//go:build tools

// Package kube pins the API server of Kubernetes 1.31 that the tests run: nothing here is compiled into Certwheel.
package kube

import _ "k8s.io/kubernetes/cmd/kube-apiserver"
