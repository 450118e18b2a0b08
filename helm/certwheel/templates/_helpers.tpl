{{- define "certwheel.name" -}}
{{- .Values.nameOverride | default .Chart.Name | trunc 40 | trimSuffix "-" }}
{{- end }}

{{/* The longest suffix is 22 characters, and a name has at most 63. */}}
{{- define "certwheel.fullname" -}}
{{- if .Values.fullnameOverride }}
{{- .Values.fullnameOverride | trunc 40 | trimSuffix "-" }}
{{- else if contains (include "certwheel.name" .) .Release.Name }}
{{- .Release.Name | trunc 40 | trimSuffix "-" }}
{{- else }}
{{- printf "%s-%s" .Release.Name (include "certwheel.name" .) | trunc 40 | trimSuffix "-" }}
{{- end }}
{{- end }}

{{/* For objects of the whole cluster that two releases in two namespaces may both need. */}}
{{- define "certwheel.clusterName" -}}
{{- printf "%s.%s" (include "certwheel.fullname" .) .Release.Namespace }}
{{- end }}

{{/* Of the ClusterRole for reviews of tokens. */}}
{{- define "certwheel.reviewsName" -}}
{{- printf "%s-auth.%s" (include "certwheel.fullname" .) .Release.Namespace }}
{{- end }}

{{- define "certwheel.selectorLabels" -}}
app.kubernetes.io/name: {{ include "certwheel.name" . }}
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end }}

{{/* Another name, since the selectors of the controller's objects have no component. */}}
{{- define "certwheel.responderSelectorLabels" -}}
app.kubernetes.io/name: {{ include "certwheel.name" . }}-acme-responder
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end }}

{{- define "certwheel.crlResponderSelectorLabels" -}}
app.kubernetes.io/name: {{ include "certwheel.name" . }}-responder
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end }}

{{- define "certwheel.labels" -}}
{{ include "certwheel.selectorLabels" . }}
app.kubernetes.io/component: controller
{{ include "certwheel.commonLabels" . }}
{{- end }}

{{- define "certwheel.responderLabels" -}}
{{ include "certwheel.responderSelectorLabels" . }}
app.kubernetes.io/component: acme-responder
{{ include "certwheel.commonLabels" . }}
{{- end }}

{{- define "certwheel.crlResponderLabels" -}}
{{ include "certwheel.crlResponderSelectorLabels" . }}
app.kubernetes.io/component: responder
{{ include "certwheel.commonLabels" . }}
{{- end }}

{{- define "certwheel.commonLabels" -}}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version | replace "+" "_" | trunc 63 | trimSuffix "-" }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/part-of: certwheel
app.kubernetes.io/managed-by: {{ .Release.Service }}
{{- with .Values.commonLabels }}
{{ toYaml . }}
{{- end }}
{{- end }}

{{/* Of the controller, with 64 MiB more for each process of a PKCS#11 library. */}}
{{- define "certwheel.resources" -}}
{{- $resources := deepCopy .Values.resources }}
{{- with $resources.limits }}
{{- $memory := toString .memory }}
{{- if and $.Values.controller.pkcs11.module (regexMatch "^[0-9]+[GM]i$" $memory) }}
{{- $mebibytes := mul (regexFind "^[0-9]+" $memory | int) (ternary 1024 1 (hasSuffix "Gi" $memory)) }}
{{- $_ := set . "memory" (printf "%dMi" (add $mebibytes (mul 64 (int $.Values.controller.pkcs11.processes)))) }}
{{- end }}
{{- end }}
{{- toYaml $resources }}
{{- end }}

{{- define "certwheel.serviceAccountName" -}}
{{- .Values.serviceAccount.name | default (ternary (include "certwheel.fullname" .) "default" .Values.serviceAccount.create) }}
{{- end }}

{{/* Argo CD reads Helm's `keep` as Delete=false alone, and would prune what left the manifests. */}}
{{- define "certwheel.crdAnnotations" -}}
{{- $given := .Values.crds.annotations | default dict }}
{{- $kept := dict }}
{{- if .Values.crds.keep }}
{{- $options := compact (list "Prune=false" "Delete=false" (get $given "argocd.argoproj.io/sync-options")) }}
{{- $kept = dict "helm.sh/resource-policy" "keep" "argocd.argoproj.io/sync-options" (join "," $options) }}
{{- end }}
{{- with merge $kept $given }}
annotations: {{- toYaml . | nindent 2 }}
{{- end }}
{{- end }}

{{/* OpenShift assigns the ids and refuses others; a value that was given counts everywhere, and null leaves an id out. */}}
{{- define "certwheel.podSecurityContext" -}}
{{- $context := deepCopy .Values.podSecurityContext }}
{{- if not (.Capabilities.APIVersions.Has "security.openshift.io/v1") }}
{{- range list "runAsUser" "runAsGroup" "fsGroup" }}
{{- if not (hasKey $context .) }}{{ $_ := set $context . 65532 }}{{ end }}
{{- end }}
{{- end }}
{{- range $key, $value := $context }}
{{- if kindIs "invalid" $value }}{{ $_ := unset $context $key }}{{ end }}
{{- end }}
{{- toYaml $context }}
{{- end }}

{{- define "certwheel.image" -}}
{{- with .Values.image }}
{{- if .registry }}{{ trimSuffix "/" .registry }}/{{ end }}{{ .repository }}
{{- if .digest }}@{{ .digest }}{{ else }}:{{ .tag | default $.Chart.AppVersion }}{{ end }}
{{- end }}
{{- end }}

{{/* Who is granted what the roles say. */}}
{{- define "certwheel.subjects" -}}
- kind: ServiceAccount
  name: {{ include "certwheel.serviceAccountName" . }}
  namespace: {{ .Release.Namespace }}
{{- end }}

{{/* Each constraint without a labelSelector gets that of the Pods. */}}
{{- define "certwheel.topologySpreadConstraints" -}}
{{- $selector := dict "labelSelector" (dict "matchLabels" (include "certwheel.selectorLabels" . | fromYaml)) }}
{{- range .Values.topologySpreadConstraints }}
- {{ ternary . (merge (deepCopy .) $selector) (hasKey . "labelSelector") | toYaml | nindent 2 | trim }}
{{- end }}
{{- end }}

{{/* What would be installed without a complaint, and not work. */}}
{{- define "certwheel.refuse" -}}
{{- if and (gt (int .Values.replicaCount) 1) (not .Values.leaderElection.enabled) (not .Values.shards) }}
{{- fail "replicaCount is above 1 and leaderElection.enabled is false: several replicas would all act; set one of the two, or shards" }}
{{- end }}
{{- if and .Values.shards .Values.auditLog.enabled (hasKey .Values.auditLog.volume "persistentVolumeClaim") }}
{{- fail "shards is set, so all replicas would write one audit.log in auditLog.volume; leave auditLog.volume empty for standard output, or give each Pod a volume of its own" }}
{{- end }}
{{- if and (not .Values.metrics.enabled) (or .Values.metrics.serviceMonitor.enabled .Values.metrics.prometheusRule.enabled) }}
{{- fail "metrics.enabled is false, so metrics.serviceMonitor and metrics.prometheusRule would find nothing; set metrics.enabled" }}
{{- end }}
{{- if and .Values.metrics.serviceMonitor.enabled .Values.metrics.tls.secretName (not .Values.metrics.serviceMonitor.tlsConfig) (ne (.Values.metrics.serviceMonitor.namespace | default .Release.Namespace) .Release.Namespace) }}
{{- fail "metrics.serviceMonitor.namespace is not the release's, so a ServiceMonitor there can't read the CA from the Secret of metrics.tls.secretName; set metrics.serviceMonitor.tlsConfig" }}
{{- end }}
{{- if and .Values.acmeResponder.enabled (not (has "acme" .Values.controller.authorities)) }}
{{- fail "acmeResponder.enabled is set and controller.authorities doesn't list acme, so the responder would never be asked; add acme, or unset acmeResponder.enabled" }}
{{- end }}
{{- if and .Values.admissionPolicy.enabled (not .Values.serviceAccount.create) (not .Values.serviceAccount.name) }}
{{- fail "admissionPolicy.enabled would hold the ServiceAccount `default` to Certwheel's Secrets; set serviceAccount.name or serviceAccount.create" }}
{{- end }}
{{- end }}

{{- /* Whether CertificateApprovals can be trusted: "true" or "false". */}}
{{- define "certwheel.approvals" -}}
{{- and .Values.approvals.enabled (.Capabilities.APIVersions.Has "admissionregistration.k8s.io/v1") -}}
{{- end }}

{{- /* Whether the annotation that says who requested a certificate can be trusted: "true" or "false". */}}
{{- define "certwheel.requestStamps" -}}
{{- and .Values.requestStamps.enabled (.Capabilities.APIVersions.Has "admissionregistration.k8s.io/v1/MutatingAdmissionPolicy") -}}
{{- end }}

{{- /* The kinds of trust targets that are allowed, separated by commas. */}}
{{- define "certwheel.trustTargets" -}}
{{- $kinds := list -}}
{{- range list "configMaps" "secrets" "clusterTrustBundles" "pods" -}}
{{- if get $.Values.trustTargets . -}}{{- $kinds = append $kinds . -}}{{- end -}}
{{- end -}}
{{- join "," $kinds -}}
{{- end }}
