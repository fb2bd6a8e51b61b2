{{- define "berth.secrets.makesKeys" -}}
{{- if not .Values.secrets.existingSecret }}true{{ end -}}
{{- end -}}

{{/* Secrets with the passwords of the bundled database that are to be made, a container each. Returns JSON: {container: name}. */}}
{{- define "berth.secrets.passwords" -}}
{{- $passwords := dict -}}
{{- if and (eq .Values.database.mode "bundled") (not .Values.database.bundled.existingSecret) -}}
{{- $_ := set $passwords "postgres" (include "berth.bundledPasswordSecret" .) -}}
{{- end -}}
{{- if and (include "berth.database.edgeIsRestricted" .) (not .Values.database.bundled.existingEdgeSecret) -}}
{{- $_ := set $passwords "postgres-edge" (include "berth.bundledEdgeSecret" .) -}}
{{- end -}}
{{- toJson $passwords -}}
{{- end -}}

{{- define "berth.secrets.wanted" -}}
{{- if or (include "berth.secrets.makesKeys" .) (include "berth.secrets.passwords" . | fromJson) }}true{{ end -}}
{{- end -}}

{{- define "berth.secrets.names" -}}
{{- $names := list -}}
{{- if include "berth.secrets.makesKeys" . -}}{{- $names = append $names (include "berth.keysSecret" .) -}}{{- end -}}
{{- range include "berth.secrets.passwords" . | fromJson -}}{{- $names = append $names . -}}{{- end -}}
{{- toJson $names -}}
{{- end -}}

{{- define "berth.secrets.jobSpec" -}}
backoffLimit: 10
{{- include "berth.jobs.ttl" . }}
template:
  metadata:
    labels:
      {{- include "berth.podLabels" (list . "secrets" dict) | nindent 6 }}
    {{- with .Values.jobs.revision }}
    annotations: { berth.dev/revision: {{ . | quote }} }
    {{- end }}
  spec:
    serviceAccountName: {{ include "berth.fullname" . }}-secrets
    restartPolicy: OnFailure
    enableServiceLinks: false
    {{- include "berth.scheduling" (list . .Values.edge) | nindent 4 }}
    securityContext:
      {{- include "berth.podSecurity" 10001 | nindent 6 }}
    containers:
      {{- if include "berth.secrets.makesKeys" . }}
      - name: keys
        args:
          - secrets
          - {{ include "berth.keysSecret" . }}
          {{- range include "berth.keyEntries" . | fromYamlArray }}
          - {{ .name }}={{ .kind }}
          {{- end }}
        {{- include "berth.secrets.container" . | nindent 8 }}
      {{- end }}
      {{- range $container, $name := include "berth.secrets.passwords" . | fromJson }}
      - name: {{ $container }}
        args: [secrets, {{ $name }}, password=password]
        {{- include "berth.secrets.container" $ | nindent 8 }}
      {{- end }}
{{- end -}}

{{- define "berth.secrets.container" -}}
image: {{ include "berth.image" (list . .Values.edge.image) | quote }}
imagePullPolicy: {{ .Values.image.pullPolicy }}
resources:
  {{- toYaml .Values.secrets.resources | nindent 2 }}
securityContext:
  {{- include "berth.containerSecurity" . | nindent 2 }}
{{- end -}}

{{- define "berth.jobs.ttl" -}}
{{- if not (kindIs "invalid" .Values.jobs.ttlSeconds) }}
ttlSecondsAfterFinished: {{ include "berth.scalar" .Values.jobs.ttlSeconds }}
{{- end }}
{{- end -}}
