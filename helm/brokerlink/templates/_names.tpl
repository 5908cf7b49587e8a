{{/* Names and labels. Each template takes the chart's own root context, of a subchart too (`.Subcharts.brokerlink`). */}}

{{- define "brokerlink.name" -}}
{{- default .Chart.Name .Values.nameOverride | trunc 50 | trimSuffix "-" -}}
{{- end -}}

{{/* At most 50 characters: StatefulSets add some to the names of pods, and labels end at 63. */}}
{{- define "brokerlink.fullname" -}}
{{- if .Values.fullnameOverride -}}
{{- .Values.fullnameOverride | trunc 50 | trimSuffix "-" -}}
{{- else if contains (include "brokerlink.name" .) .Release.Name -}}
{{- .Release.Name | trunc 50 | trimSuffix "-" -}}
{{- else -}}
{{- printf "%s-%s" .Release.Name (include "brokerlink.name" .) | trunc 50 | trimSuffix "-" -}}
{{- end -}}
{{- end -}}

{{- define "brokerlink.serviceAccountName" -}}
{{- if .Values.serviceAccount.create -}}
{{- default (include "brokerlink.fullname" .) .Values.serviceAccount.name -}}
{{- else -}}
{{- default "default" .Values.serviceAccount.name -}}
{{- end -}}
{{- end -}}

{{- define "brokerlink.selectorLabels" -}}
app.kubernetes.io/name: {{ include "brokerlink.name" . }}
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end -}}

{{/* Labels of the pods with the agent: the chart's own, or those of somebody else's. */}}
{{- define "brokerlink.podSelector" -}}
{{- if eq .Values.mode "sidecar" -}}
{{- with .Values.service.sidecarSelector }}{{ toYaml . }}{{ end -}}
{{- else -}}
{{- include "brokerlink.selectorLabels" . -}}
{{- end -}}
{{- end -}}

{{- define "brokerlink.labels" -}}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name (.Chart.Version | replace "+" "_") }}
{{ include "brokerlink.selectorLabels" . }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
{{- with .Values.commonLabels }}
{{ toYaml . }}
{{- end }}
{{- end -}}

{{/* name, namespace, labels and annotations of one object: (dict "root" . "suffix" "…" "labels" dict "annotations" dict). */}}
{{- define "brokerlink.metadata" -}}
name: {{ printf "%s%s" (include "brokerlink.fullname" .root) (default "" .suffix) }}
namespace: {{ .root.Release.Namespace }}
labels:
  {{- include "brokerlink.labels" .root | nindent 2 }}
  {{- with .labels }}
  {{- toYaml . | nindent 2 }}
  {{- end }}
{{- with merge (dict) (default (dict) .annotations) .root.Values.commonAnnotations }}
annotations:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- end -}}

{{/* (dict "image" .Values.image "tag" "default tag"). */}}
{{- define "brokerlink.image" -}}
{{- if .image.digest -}}
{{- printf "%s@%s" .image.repository .image.digest -}}
{{- else -}}
{{- printf "%s:%s" .image.repository (default .tag .image.tag) -}}
{{- end -}}
{{- end -}}

{{- define "brokerlink.isBesideBroker" -}}
{{- if has .Values.mode (list "mosquitto" "sidecar") -}}true{{- end -}}
{{- end -}}
