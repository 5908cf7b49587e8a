{{/* The files of the Mosquitto that comes with the chart. */}}

{{- define "brokerlink.mosquittoConf" -}}
{{- with .Values.mosquitto -}}
# For the agent in the same pod{{ if or .tls.plainToo (not .tls.existingSecret) }}, and for clients{{ end }}.
listener 1883{{ if and .tls.existingSecret (not .tls.plainToo) }} 127.0.0.1{{ end }}
{{- if .tls.existingSecret }}
listener 8883
certfile /mosquitto/tls/tls.crt
keyfile /mosquitto/tls/tls.key
{{- if .tls.requireCertificate }}
cafile /mosquitto/tls/ca.crt
require_certificate true
{{- end }}
{{- end }}
# Without it a small packet may wait for the acknowledgement of the one before.
set_tcp_nodelay true

allow_anonymous false
password_file /mosquitto/auth/passwords
acl_file /mosquitto/acl/acl

# Sessions and queues outlive the broker, the agent's among them.
persistence true
persistence_location /mosquitto/data/
autosave_interval 60

# For the agent: who connects, and who subscribes to what, as messages below $SYS/broker/log; and the counters that prove that it missed nobody.
log_dest topic
log_dest stderr
log_type error
log_type warning
log_type notice
log_type information
log_type subscribe
log_type unsubscribe
connection_messages true
log_timestamp false
sys_interval 1
# The default of 1000 drops events and messages in a burst, and tells nobody.
max_queued_messages 1000000
{{- with .extraConfig }}

{{ . | trim }}
{{- end }}
{{- end }}
{{ end -}}

{{/* In Mosquitto "#" never covers topics that begin with "$": nobody else comes near the link. */}}
{{- define "brokerlink.mosquittoAcl" -}}
{{- $prefix := include "brokerlink.controlPrefix" . -}}
{{- $cluster := .Values.config.cluster -}}
{{- $links := default (list) .Values.config.links -}}
# This cluster's own agent.
user {{ .Values.mosquitto.agent.username }}
topic readwrite #
topic read $SYS/#
topic readwrite {{ $prefix }}/#
{{- range $peer := .Values.mosquitto.acl.peers }}

# The agent of cluster {{ $peer.cluster }}: no right on any message topic.
user {{ $peer.username }}
topic write {{ $prefix }}/v1/{{ $cluster }}/{{ $peer.cluster }}/#
{{- range $link := $links }}
{{- if and (eq $link.name $peer.cluster) (not $link.server) }}
topic read {{ $prefix }}/v1/{{ $peer.cluster }}/{{ $cluster }}/#
{{- end }}
{{- end }}
{{- end }}
{{- range .Values.mosquitto.acl.clients }}

user {{ .username }}
{{- range .topics }}
topic {{ . }}
{{- end }}
{{- end }}
{{ end -}}
