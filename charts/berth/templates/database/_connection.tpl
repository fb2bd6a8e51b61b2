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

{{/* The password, as environment. Call with (list $ passwordSecret); the Secret counts for an external database. */}}
{{- define "berth.database.password" -}}
{{- $root := index . 0 -}}
{{- $secret := index . 1 -}}
- name: PGPASSWORD
  valueFrom:
    secretKeyRef:
      {{- if eq $root.Values.database.mode "bundled" }}
      name: {{ include "berth.bundledPasswordSecret" $root }}
      key: password
      {{- else }}
      name: {{ $secret.name }}
      key: {{ $secret.key }}
      {{- end }}
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
