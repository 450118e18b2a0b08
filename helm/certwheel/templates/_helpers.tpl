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

{{- define "certwheel.selectorLabels" -}}
app.kubernetes.io/name: {{ include "certwheel.name" . }}
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end }}

{{- define "certwheel.labels" -}}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version | replace "+" "_" | trunc 63 | trimSuffix "-" }}
{{ include "certwheel.selectorLabels" . }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/component: controller
app.kubernetes.io/part-of: certwheel
app.kubernetes.io/managed-by: {{ .Release.Service }}
{{- with .Values.commonLabels }}
{{ toYaml . }}
{{- end }}
{{- end }}

{{- define "certwheel.serviceAccountName" -}}
{{- .Values.serviceAccount.name | default (ternary (include "certwheel.fullname" .) "default" .Values.serviceAccount.create) }}
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
{{- if and (gt (int .Values.replicaCount) 1) (not .Values.leaderElection.enabled) }}
{{- fail "replicaCount is above 1 and leaderElection.enabled is false: several replicas would all act; set one of the two" }}
{{- end }}
{{- if and (not .Values.metrics.enabled) (or .Values.metrics.serviceMonitor.enabled .Values.metrics.prometheusRule.enabled) }}
{{- fail "metrics.enabled is false, so metrics.serviceMonitor and metrics.prometheusRule would find nothing; set metrics.enabled" }}
{{- end }}
{{- if and .Values.admissionPolicy.enabled (not .Values.serviceAccount.create) (not .Values.serviceAccount.name) }}
{{- fail "admissionPolicy.enabled would hold the ServiceAccount `default` to Certwheel's Secrets; set serviceAccount.name or serviceAccount.create" }}
{{- end }}
{{- end }}
