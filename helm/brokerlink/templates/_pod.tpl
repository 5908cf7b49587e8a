{{/* The agent's container and volumes: in the chart's own pods, and in those of other charts. */}}

{{- define "brokerlink.probe" -}}
httpGet:
  path: {{ .path }}
  port: brokerlink-http
periodSeconds: {{ .probe.periodSeconds }}
timeoutSeconds: {{ .probe.timeoutSeconds }}
failureThreshold: {{ .probe.failureThreshold }}
{{- end -}}

{{- define "brokerlink.container" -}}
name: brokerlink
image: {{ include "brokerlink.image" (dict "image" .Values.image "tag" .Chart.AppVersion) }}
imagePullPolicy: {{ .Values.image.pullPolicy }}
{{- if include "brokerlink.isBesideBroker" . }}
# A native sidecar: it starts before the broker and is stopped after it. No start-up probe: it would keep the broker from starting.
restartPolicy: Always
{{- end }}
args:
  - run
  - --config
  - /etc/brokerlink/brokerlink.yaml
  {{- with .Values.extraArgs }}
  {{- toYaml . | nindent 2 }}
  {{- end }}
{{- with .Values.extraEnv }}
env:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .Values.extraEnvFrom }}
envFrom:
  {{- toYaml . | nindent 2 }}
{{- end }}
ports:
  - name: brokerlink-http
    containerPort: {{ include "brokerlink.httpPort" . }}
    protocol: TCP
{{- if .Values.probes.liveness.enabled }}
livenessProbe:
  {{- include "brokerlink.probe" (dict "path" "/livez" "probe" .Values.probes.liveness) | nindent 2 }}
{{- end }}
{{- if and .Values.probes.readiness.enabled (or .Values.probes.readiness.besideBroker (not (include "brokerlink.isBesideBroker" .))) }}
readinessProbe:
  {{- include "brokerlink.probe" (dict "path" "/readyz" "probe" .Values.probes.readiness) | nindent 2 }}
{{- end }}
securityContext:
  {{- toYaml .Values.securityContext | nindent 2 }}
resources:
  {{- toYaml .Values.resources | nindent 2 }}
volumeMounts:
  - name: brokerlink-config
    mountPath: /etc/brokerlink
    readOnly: true
  {{- if .Values.secrets.existingSecret }}
  - name: brokerlink-secrets
    mountPath: /run/brokerlink/secrets
    readOnly: true
  {{- end }}
  {{- if .Values.tls.existingSecret }}
  - name: brokerlink-tls
    mountPath: /run/brokerlink/tls
    readOnly: true
  {{- end }}
  {{- if .Values.httpToken.existingSecret }}
  - name: brokerlink-http-token
    mountPath: /run/brokerlink/http
    readOnly: true
  {{- end }}
  {{- if ne (include "brokerlink.spoolKind" .) "memory" }}
  - name: brokerlink-spool
    mountPath: /var/lib/brokerlink
  {{- end }}
  {{- with .Values.extraVolumeMounts }}
  {{- toYaml . | nindent 2 }}
  {{- end }}
{{- end -}}

{{/* Who may read a Secret's files: the group of our pods; in somebody else's pod, whose group we do not know, everybody in the container. */}}
{{- define "brokerlink.secretMode" -}}
{{- ternary "0444" "0440" (eq .Values.mode "sidecar") -}}
{{- end -}}

{{/* All but a spool that has a claim template of its own, or comes with somebody else's pod. */}}
{{- define "brokerlink.volumes" -}}
- name: brokerlink-config
  configMap:
    name: {{ include "brokerlink.fullname" . }}
{{- with .Values.secrets.existingSecret }}
- name: brokerlink-secrets
  secret:
    secretName: {{ . }}
    defaultMode: {{ include "brokerlink.secretMode" $ }}
{{- end }}
{{- with .Values.tls.existingSecret }}
- name: brokerlink-tls
  secret:
    secretName: {{ . }}
    defaultMode: {{ include "brokerlink.secretMode" $ }}
{{- end }}
{{- with .Values.httpToken }}
{{- if .existingSecret }}
- name: brokerlink-http-token
  secret:
    secretName: {{ .existingSecret }}
    defaultMode: {{ include "brokerlink.secretMode" $ }}
    items:
      - key: {{ .key }}
        path: token
{{- end }}
{{- end }}
{{- $kind := include "brokerlink.spoolKind" . }}
{{- if eq $kind "emptyDir" }}
- name: brokerlink-spool
  emptyDir:
    sizeLimit: {{ .Values.spool.size }}
{{- else if and (eq $kind "volume") .Values.spool.existingClaim }}
- name: brokerlink-spool
  persistentVolumeClaim:
    claimName: {{ .Values.spool.existingClaim }}
{{- end }}
{{- end -}}

{{/* For other charts: one item of `initContainers`. {{ include "brokerlink.sidecar.container" .Subcharts.brokerlink | nindent 8 }} */}}
{{- define "brokerlink.sidecar.container" -}}
- {{ include "brokerlink.container" . | nindent 2 | trim }}
{{- end -}}

{{/* For other charts: items of `volumes`. With `spool.kind: volume` the pod brings `brokerlink-spool` itself. */}}
{{- define "brokerlink.sidecar.volumes" -}}
{{ include "brokerlink.volumes" . }}
{{- end -}}

{{/* For other charts: annotations of the pod, which restart it when the configuration changes. */}}
{{- define "brokerlink.sidecar.podAnnotations" -}}
{{- include "brokerlink.checksums" . -}}
{{- end -}}

{{/* What all pods of this chart have in common, but for their containers and volumes. */}}
{{- define "brokerlink.podCommon" -}}
serviceAccountName: {{ include "brokerlink.serviceAccountName" . }}
automountServiceAccountToken: false
# The variables of other Services are of no use here, and begin like the agent's own when one of them is called brokerlink.
enableServiceLinks: false
terminationGracePeriodSeconds: {{ .Values.terminationGracePeriodSeconds }}
securityContext:
  {{- toYaml .Values.podSecurityContext | nindent 2 }}
{{- with .Values.imagePullSecrets }}
imagePullSecrets:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .Values.priorityClassName }}
priorityClassName: {{ . }}
{{- end }}
{{- with .Values.runtimeClassName }}
runtimeClassName: {{ . }}
{{- end }}
{{- with .Values.dnsPolicy }}
dnsPolicy: {{ . }}
{{- end }}
{{- with .Values.dnsConfig }}
dnsConfig:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .Values.hostAliases }}
hostAliases:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .Values.nodeSelector }}
nodeSelector:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .Values.tolerations }}
tolerations:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .Values.affinity }}
affinity:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .Values.topologySpreadConstraints }}
topologySpreadConstraints:
  {{- range . }}
  - {{ merge (dict) . (dict "labelSelector" (dict "matchLabels" (fromYaml (include "brokerlink.selectorLabels" $)))) | toYaml | nindent 4 | trim }}
  {{- end }}
{{- end }}
{{- end -}}

{{- define "brokerlink.podMetadata" -}}
labels:
  {{- include "brokerlink.labels" . | nindent 2 }}
  {{- with .Values.podLabels }}
  {{- toYaml . | nindent 2 }}
  {{- end }}
annotations:
  kubectl.kubernetes.io/default-container: {{ eq .Values.mode "mosquitto" | ternary "mosquitto" "brokerlink" }}
  {{- include "brokerlink.checksums" . | nindent 2 }}
  {{- with .Values.podAnnotations }}
  {{- toYaml . | nindent 2 }}
  {{- end }}
{{- end -}}

{{/* (dict "name" … "values" .Values.spool). */}}
{{- define "brokerlink.claimTemplate" -}}
metadata:
  name: {{ .name }}
  {{- with .values.annotations }}
  annotations:
    {{- toYaml . | nindent 4 }}
  {{- end }}
spec:
  accessModes:
    {{- toYaml .values.accessModes | nindent 4 }}
  {{- with .values.storageClass }}
  storageClassName: {{ eq . "-" | ternary "" . | quote }}
  {{- end }}
  resources:
    requests:
      storage: {{ .values.size }}
{{- end -}}
