{{/* Entries that the Secret with the keys has to hold, with their kinds. Returns YAML: a list of {name, kind}. */}}
{{- define "berth.keyEntries" -}}
{{- range .Values.secrets.session }}
- { name: {{ . }}, kind: key }
{{- end }}
{{- range .Values.secrets.identity }}
- { name: {{ . }}, kind: p256 }
{{- end }}
{{- if include "berth.hasVault" . }}
{{- range .Values.secrets.vault.keys }}
- { name: vault-{{ .id }}, kind: key }
{{- end }}
{{- range .Values.secrets.vault.fingerprints }}
- { name: fingerprint-{{ .id }}, kind: key }
{{- end }}
{{- end }}
{{- end -}}

{{/* Client secrets of providers and connections as sources of a projected volume. */}}
{{- define "berth.clientSecrets.sources" -}}
{{- $own := printf "%s-clients" (include "berth.fullname" .) -}}
{{- range $index, $issuer := .Values.issuers }}
{{- with $issuer.clientSecretRef }}
- secret: { name: {{ .name }}, items: [{ key: {{ .key | default "client-secret" }}, path: issuer-{{ $index }} }] }
{{- end }}
{{- if $issuer.clientSecret }}
- secret: { name: {{ $own }}, items: [{ key: issuer-{{ $index }}, path: issuer-{{ $index }} }] }
{{- end }}
{{- end }}
{{- range $name, $connection := .Values.connections }}
{{- with $connection.clientSecretRef }}
- secret: { name: {{ .name }}, items: [{ key: {{ .key | default "client-secret" }}, path: connection-{{ $name }} }] }
{{- end }}
{{- if $connection.clientSecret }}
- secret: { name: {{ $own }}, items: [{ key: connection-{{ $name }}, path: connection-{{ $name }} }] }
{{- end }}
{{- end }}
{{- end -}}

{{/* Client secrets that stand in the values themselves, as data of a Secret. */}}
{{- define "berth.clientSecrets.inline" -}}
{{- range $index, $issuer := .Values.issuers }}
{{- with $issuer.clientSecret }}
issuer-{{ $index }}: {{ . | b64enc }}
{{- end }}
{{- end }}
{{- range $name, $connection := .Values.connections }}
{{- with $connection.clientSecret }}
connection-{{ $name }}: {{ . | b64enc }}
{{- end }}
{{- end }}
{{- end -}}

{{- define "berth.edge.serviceAccount" -}}
{{- .Values.edge.serviceAccount.name | default (printf "%s-edge" (include "berth.fullname" .)) -}}
{{- end -}}

{{- define "berth.operator.serviceAccount" -}}
{{- .Values.operator.serviceAccount.name | default (printf "%s-operator" (include "berth.fullname" .)) -}}
{{- end -}}
