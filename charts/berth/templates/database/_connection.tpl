{{/* Connection string without the password: Npgsql takes that from PGPASSWORD, whatever characters it has. Call with (list $ user). */}}
{{- define "berth.database.connection" -}}
{{- $root := index . 0 -}}
{{- $database := $root.Values.database -}}
{{- if eq $database.mode "bundled" -}}
Host={{ include "berth.fullname" $root }}-postgres;Port=5432;Database={{ $database.name }};Username={{ index . 1 }};SSL Mode=Disable
{{- else -}}
{{- $external := $database.external -}}
Host={{ $external.host }};Port={{ include "berth.scalar" $external.port }};Database={{ $database.name }};Username={{ index . 1 }};SSL Mode={{ $external.sslMode }}
{{- if $external.caSecret.name }};Root Certificate=/etc/berth/database/ca.crt{{ end }}
{{- range $key, $value := $external.parameters }};{{ $key }}={{ include "berth.scalar" $value }}{{ end }}
{{- end -}}
{{- end -}}

{{/* Whether the edge signs in to the bundled database as a role of its own, which the migration makes: one that migrates needs the owner's rights. */}}
{{- define "berth.database.edgeIsRestricted" -}}
{{- if and (eq .Values.database.mode "bundled") .Values.database.migration.enabled }}true{{ end -}}
{{- end -}}

{{/* Prefix of the roles that the migration makes; empty: none. The bundled server is for this release alone, so that the name is nobody else's. */}}
{{- define "berth.database.roles" -}}
{{- .Values.database.migration.roles | default (ternary "berth" "" (eq .Values.database.mode "bundled")) -}}
{{- end -}}

{{/* Whom the edge signs in as. */}}
{{- define "berth.database.edgeUsername" -}}
{{- if include "berth.database.edgeIsRestricted" . }}{{ include "berth.database.roles" . }}_edge_login{{ else }}{{ .Values.database.username }}{{ end -}}
{{- end -}}

{{/* The Secret with the password of whom the edge signs in as. Returns JSON: {name, key}. */}}
{{- define "berth.database.edgePassword" -}}
{{- if include "berth.database.edgeIsRestricted" . -}}
{{- dict "name" (include "berth.bundledEdgeSecret" .) "key" "password" | toJson -}}
{{- else -}}
{{- include "berth.database.ownerPassword" . -}}
{{- end -}}
{{- end -}}

{{/* The same for database.username. */}}
{{- define "berth.database.ownerPassword" -}}
{{- if eq .Values.database.mode "bundled" -}}
{{- dict "name" (include "berth.bundledPasswordSecret" .) "key" "password" | toJson -}}
{{- else -}}
{{- .Values.database.external.passwordSecret | toJson -}}
{{- end -}}
{{- end -}}

{{/* A password as environment: Npgsql reads PGPASSWORD, whatever characters it has. Call with (list $variable $secretAsJson). */}}
{{- define "berth.database.password" -}}
{{- $secret := index . 1 | fromJson -}}
- name: {{ index . 0 }}
  valueFrom:
    secretKeyRef: { name: {{ $secret.name }}, key: {{ $secret.key }} }
{{- end -}}

{{- define "berth.database.caVolume" -}}
{{- if and (eq .Values.database.mode "external") .Values.database.external.caSecret.name }}
- name: database-ca
  secret:
    secretName: {{ .Values.database.external.caSecret.name }}
    items: [{ key: {{ .Values.database.external.caSecret.key }}, path: ca.crt }]
    defaultMode: 0440
{{- end }}
{{- end -}}

{{- define "berth.database.caMount" -}}
{{- if and (eq .Values.database.mode "external") .Values.database.external.caSecret.name }}
- { name: database-ca, mountPath: /etc/berth/database, readOnly: true }
{{- end }}
{{- end -}}
