{{/* Names, labels and small tools that every template uses. */}}

{{- define "berth.name" -}}
{{- default .Chart.Name .Values.nameOverride | trunc 40 | trimSuffix "-" -}}
{{- end -}}

{{/* Prefix of all names: the release's, with the chart's behind it where it does not say it already. 40 characters leave room for what is added. */}}
{{- define "berth.fullname" -}}
{{- if .Values.fullnameOverride -}}
{{- .Values.fullnameOverride | trunc 40 | trimSuffix "-" -}}
{{- else -}}
{{- $name := include "berth.name" . -}}
{{- if contains $name .Release.Name -}}
{{- .Release.Name | trunc 40 | trimSuffix "-" -}}
{{- else -}}
{{- printf "%s-%s" .Release.Name $name | trunc 40 | trimSuffix "-" -}}
{{- end -}}
{{- end -}}
{{- end -}}

{{/* Labels that select: they never change over upgrades. Call with (list $ "component"). */}}
{{- define "berth.selector" -}}
{{- $root := index . 0 -}}
app.kubernetes.io/name: {{ include "berth.name" $root }}
app.kubernetes.io/instance: {{ $root.Release.Name }}
app.kubernetes.io/component: {{ index . 1 }}
{{- end -}}

{{/* All labels of an object. Call with (list $ "component"). */}}
{{- define "berth.labels" -}}
{{- $root := index . 0 -}}
{{ include "berth.selector" . }}
app.kubernetes.io/part-of: berth
app.kubernetes.io/version: {{ $root.Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ $root.Release.Service }}
helm.sh/chart: {{ printf "%s-%s" $root.Chart.Name $root.Chart.Version | replace "+" "_" | trunc 63 | trimSuffix "-" }}
{{- with $root.Values.commonLabels }}
{{ toYaml . }}
{{- end }}
{{- end -}}

{{/* Labels of a pod: without versions, so that a new chart alone rolls nothing. Call with (list $ "component" extraLabels). */}}
{{- define "berth.podLabels" -}}
{{- $root := index . 0 -}}
{{ include "berth.selector" . }}
app.kubernetes.io/part-of: berth
{{- with merge (dict) (index . 2 | default dict) ($root.Values.commonLabels | default dict) }}
{{ toYaml . }}
{{- end }}
{{- end -}}

{{/* What stays when the release is uninstalled: the annotation for Helm, the label for kubectl delete -l 'berth.dev/uninstall!=keep'. */}}
{{- define "berth.keepLabel" -}}
berth.dev/uninstall: keep
{{- end -}}

{{/* Image of a part. Call with (list $ imageValues). */}}
{{- define "berth.image" -}}
{{- $root := index . 0 -}}
{{- $image := index . 1 -}}
{{- $registry := $image.registry | default $root.Values.image.registry | trimSuffix "/" -}}
{{- $name := ternary $image.repository (printf "%s/%s" $registry $image.repository) (empty $registry) -}}
{{- if $image.digest -}}
{{- printf "%s@%s" $name $image.digest -}}
{{- else -}}
{{- printf "%s:%s" $name ($image.tag | default $root.Chart.AppVersion | toString) -}}
{{- end -}}
{{- end -}}

{{/* A scalar as text: whole numbers without exponent, which is how Go writes large ones that came from YAML. */}}
{{- define "berth.scalar" -}}
{{- if and (kindIs "float64" .) (eq (floor .) .) -}}
{{- printf "%.0f" . -}}
{{- else -}}
{{- toString . -}}
{{- end -}}
{{- end -}}

{{/*
A tree of options as environment variables, the way .NET reads them: Berth__Edge__Issuers__0__ClientId. Call with (dict "prefix" P "value" V).
Null and empty values are left out. Dollars are doubled: the kubelet would take $(NAME) for a reference.
*/}}
{{- define "berth.env" -}}
{{- $prefix := .prefix -}}
{{- if kindIs "map" .value -}}
{{- range $key, $value := .value -}}
{{- include "berth.env" (dict "prefix" (printf "%s__%s" $prefix $key) "value" $value) -}}
{{- end -}}
{{- else if kindIs "slice" .value -}}
{{- range $index, $value := .value -}}
{{- include "berth.env" (dict "prefix" (printf "%s__%d" $prefix $index) "value" $value) -}}
{{- end -}}
{{- else if and (not (kindIs "invalid" .value)) (ne (toString .value) "") }}
- name: {{ $prefix }}
  value: {{ include "berth.scalar" .value | replace "$" "$$" | quote }}
{{- end -}}
{{- end -}}

{{/* Names of options begin with a capital in .NET; values may be written the way Kubernetes writes them. Returns YAML. */}}
{{- define "berth.pascal" -}}
{{- if kindIs "map" . -}}
{{- $result := dict -}}
{{- range $key, $value := . -}}
{{- $name := printf "%s%s" (substr 0 1 $key | upper) (substr 1 (len $key) $key) -}}
{{- if eq $name "Connections" -}}
{{- /* Below it stand names that people chose. */ -}}
{{- $connections := dict -}}
{{- range $connection, $options := $value -}}
{{- $_ := set $connections $connection (include "berth.pascal" $options | fromYaml) -}}
{{- end -}}
{{- $_ := set $result $name $connections -}}
{{- else if kindIs "map" $value -}}
{{- $_ := set $result $name (include "berth.pascal" $value | fromYaml) -}}
{{- else if kindIs "slice" $value -}}
{{- $items := list -}}
{{- range $value -}}
{{- if kindIs "map" . -}}
{{- $items = append $items (include "berth.pascal" . | fromYaml) -}}
{{- else -}}
{{- $items = append $items . -}}
{{- end -}}
{{- end -}}
{{- $_ := set $result $name $items -}}
{{- else -}}
{{- $_ := set $result $name $value -}}
{{- end -}}
{{- end -}}
{{- toYaml $result -}}
{{- end -}}
{{- end -}}

{{/* Seconds as .NET writes times: 00:01:05, 1.00:00:00. */}}
{{- define "berth.timeSpan" -}}
{{- $s := int64 . -}}
{{- $days := div $s 86400 -}}
{{- if $days }}{{ $days }}.{{ end -}}
{{- printf "%02d:%02d:%02d" (mod (div $s 3600) 24) (mod (div $s 60) 60) (mod $s 60) -}}
{{- end -}}

{{/* Host of an origin, without scheme and port. */}}
{{- define "berth.host" -}}
{{- regexReplaceAll ":[0-9]+$" (regexReplaceAll "^https?://" . "") "" -}}
{{- end -}}

{{- define "berth.workspacesNamespace" -}}
{{- .Values.workspaces.namespace | default .Release.Namespace -}}
{{- end -}}

{{- define "berth.isHttps" -}}
{{- if hasPrefix "https://" .Values.publicOrigin }}true{{ end -}}
{{- end -}}

{{/* Name of the Secret with the edge's keys, and of the one with the password of the bundled database. */}}
{{- define "berth.keysSecret" -}}
{{- .Values.secrets.existingSecret | default (printf "%s-keys" (include "berth.fullname" .)) -}}
{{- end -}}

{{- define "berth.bundledPasswordSecret" -}}
{{- .Values.database.bundled.existingSecret | default (printf "%s-postgres" (include "berth.fullname" .)) -}}
{{- end -}}

{{- define "berth.bundledEdgeSecret" -}}
{{- .Values.database.bundled.existingEdgeSecret | default (printf "%s-postgres-edge" (include "berth.fullname" .)) -}}
{{- end -}}

{{/* Security of our own pods: what the restricted Pod Security Standard asks for. */}}
{{- define "berth.podSecurity" -}}
runAsNonRoot: true
runAsUser: {{ . }}
runAsGroup: {{ . }}
fsGroup: {{ . }}
seccompProfile: { type: RuntimeDefault }
{{- end -}}

{{- define "berth.containerSecurity" -}}
allowPrivilegeEscalation: false
readOnlyRootFilesystem: true
capabilities: { drop: [ALL] }
{{- end -}}

{{/* Where pods of a part may run. Call with (list $ partValues component). */}}
{{- define "berth.scheduling" -}}
{{- $root := index . 0 -}}
{{- $part := index . 1 -}}
{{- with $part.nodeSelector }}
nodeSelector:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with $part.tolerations }}
tolerations:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with $part.affinity }}
affinity:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with $part.priorityClassName }}
priorityClassName: {{ . }}
{{- end }}
{{- with $root.Values.image.pullSecrets }}
imagePullSecrets:
  {{- range . }}
  - name: {{ . }}
  {{- end }}
{{- end }}
{{- end -}}

{{/* One replica a node and zone as far as there are some. Call with (list $ component). */}}
{{- define "berth.spread" -}}
{{- $root := index . 0 -}}
topologySpreadConstraints:
{{- range list "topology.kubernetes.io/zone" "kubernetes.io/hostname" }}
  - topologyKey: {{ . }}
    maxSkew: 1
    whenUnsatisfiable: ScheduleAnyway
    labelSelector:
      matchLabels:
        {{- include "berth.selector" (list $root (index $ 1)) | nindent 8 }}
    {{- if semverCompare ">=1.27-0" $root.Capabilities.KubeVersion.Version }}
    matchLabelKeys: [pod-template-hash]
    {{- end }}
{{- end }}
{{- end -}}

{{/* Environment of traces, the same for operator and edge. */}}
{{- define "berth.tracing" -}}
{{- with .Values.tracing }}
{{- if .endpoint }}
- name: OTEL_EXPORTER_OTLP_ENDPOINT
  value: {{ .endpoint | quote }}
- name: OTEL_EXPORTER_OTLP_PROTOCOL
  value: {{ .protocol | quote }}
- name: OTEL_TRACES_SAMPLER
  value: {{ .sampler | quote }}
{{- with .samplerArgument }}
- name: OTEL_TRACES_SAMPLER_ARG
  value: {{ . | quote }}
{{- end }}
{{- end }}
{{- end }}
{{- end -}}

{{/* Name of something that belongs to the whole cluster: two releases of one name in two namespaces must not share it. Call with (list $ part). */}}
{{- define "berth.clusterName" -}}
{{- $root := index . 0 -}}
{{- printf "%s-%s-%s" $root.Release.Namespace (include "berth.fullname" $root) (index . 1) -}}
{{- end -}}
