{{/* The agent's configuration: what the user says, and what only the chart can know where the user says nothing. */}}

{{- define "brokerlink.spoolKind" -}}
{{- $kind := .Values.spool.kind -}}
{{- if ne $kind "auto" -}}{{- $kind -}}
{{- else if has .Values.mode (list "statefulset" "mosquitto") -}}volume
{{- else -}}emptyDir
{{- end -}}
{{- end -}}

{{/* Bytes of a quantity such as 1Gi. */}}
{{- define "brokerlink.bytes" -}}
{{- $units := dict "" 1 "k" 1000 "M" 1000000 "G" 1000000000 "T" 1000000000000 "Ki" 1024 "Mi" 1048576 "Gi" 1073741824 "Ti" 1099511627776 -}}
{{- $number := regexFind "^[0-9]+" . -}}
{{- mul (int64 $number) (index $units (trimPrefix $number .)) -}}
{{- end -}}

{{/* One link's share of four fifths of the volume, or of 32 MiB of memory; in the bounds of the configuration. */}}
{{- define "brokerlink.spoolBytes" -}}
{{- $links := max 1 (len (default (list) .Values.config.links)) -}}
{{- $all := 33554432 -}}
{{- if ne (include "brokerlink.spoolKind" .) "memory" -}}
{{- $all = div (mul (int64 (include "brokerlink.bytes" .Values.spool.size)) 4) 5 -}}
{{- end -}}
{{- min 1099511627776 (max 65536 (div $all $links)) -}}
{{- end -}}

{{- define "brokerlink.httpPort" -}}
{{- int (dig "http" "port" 9464 .Values.config) -}}
{{- end -}}

{{- define "brokerlink.controlPrefix" -}}
{{- dig "control_prefix" "$LINK" .Values.config -}}
{{- end -}}

{{- define "brokerlink.config" -}}
{{- $config := deepCopy .Values.config -}}
{{- $http := dict "host" "0.0.0.0" "port" 9464 -}}
{{- if .Values.httpToken.existingSecret -}}
{{- $_ := set $http "token_file" "/run/brokerlink/http/token" -}}
{{- end -}}
{{- $spool := dict "max_bytes" (int64 (include "brokerlink.spoolBytes" .)) -}}
{{- $added := dict "http" $http "spool" $spool -}}
{{- if ne (include "brokerlink.spoolKind" .) "memory" -}}
{{- $_ := set $added "data_dir" "/var/lib/brokerlink/data" -}}
{{- end -}}
{{- if eq .Values.mode "mosquitto" -}}
{{- $secret := printf "/run/brokerlink/secrets/%s" .Values.mosquitto.agent.passwordKey -}}
{{- $local := dict "server" "mqtt://127.0.0.1:1883" "broker" "mosquitto" "username" .Values.mosquitto.agent.username "password_file" $secret -}}
{{- $_ := set $added "local" $local -}}
{{- end -}}
{{- toYaml (mergeOverwrite $added $config) -}}
{{- end -}}

{{/* Hosts and ports of a list of URLs or one, as `port port …`. */}}
{{- define "brokerlink.portsOf" -}}
{{- $ports := list -}}
{{- $defaults := dict "mqtt" "1883" "mqtts" "8883" "ws" "80" "wss" "443" "" "1883" -}}
{{- range (kindIs "slice" . | ternary . (list .)) -}}
{{- $scheme := regexFind "^[a-zA-Z]+://" . | trimSuffix "://" | lower -}}
{{- $port := regexFind ":[0-9]+(/|$)" (regexReplaceAll "^[a-zA-Z]+://" . "") | trimPrefix ":" | trimSuffix "/" -}}
{{- $ports = append $ports (default (index $defaults $scheme) $port) -}}
{{- end -}}
{{- join " " $ports -}}
{{- end -}}

{{/* For pods: changes when what they read changes. */}}
{{- define "brokerlink.checksums" -}}
checksum/config: {{ include "brokerlink.config" . | sha256sum }}
{{- if eq .Values.mode "mosquitto" }}
checksum/mosquitto: {{ include "brokerlink.mosquittoConf" . | sha256sum }}
checksum/acl: {{ include "brokerlink.mosquittoAcl" . | sha256sum }}
{{- end }}
{{- if .Values.secretChecksums }}
checksum/secrets: {{ include "brokerlink.secretsSeen" . | sha256sum }}
{{- end }}
{{- end -}}

{{/* What the Secrets hold now; nothing where Helm has no cluster. */}}
{{- define "brokerlink.secretsSeen" -}}
{{- $root := . -}}
{{- $names := list .Values.secrets.existingSecret .Values.tls.existingSecret .Values.httpToken.existingSecret -}}
{{- if eq .Values.mode "mosquitto" -}}
{{- $names = concat $names (list .Values.mosquitto.passwords.existingSecret .Values.mosquitto.acl.existingSecret .Values.mosquitto.tls.existingSecret) -}}
{{- end -}}
{{- range (compact $names | uniq) -}}
{{- $secret := lookup "v1" "Secret" $root.Release.Namespace . -}}
{{- printf "%s=%s;" . (toJson (dig "data" (dict) $secret)) -}}
{{- end -}}
{{- end -}}
