{{/* A namespace by its name: the label is there from Kubernetes 1.21 on, and the chart puts it on the namespaces it makes. */}}
{{- define "berth.network.namespace" -}}
{ matchLabels: { kubernetes.io/metadata.name: {{ . }} } }
{{- end -}}

{{- define "berth.network.traefikNamespace" -}}
{{- if .Values.traefik.namespace -}}
{{ include "berth.network.namespace" .Values.traefik.namespace }}
{{- else -}}
{}
{{- end -}}
{{- end -}}

{{- define "berth.network.dns" -}}
- to:
    - namespaceSelector: {}
      podSelector:
        matchLabels:
          {{- toYaml .Values.workspaces.dnsLabels | nindent 10 }}
  ports: [{ protocol: UDP, port: 53 }, { protocol: TCP, port: 53 }]
{{- end -}}

{{/* Networks and ports. An empty list of networks would be everybody. */}}
{{- define "berth.network.blocks" -}}
{{- if .networks }}
- to:
    {{- range .networks }}
    - ipBlock: { cidr: {{ . | quote }} }
    {{- end }}
  ports:
    {{- range .ports }}
    - { protocol: TCP, port: {{ include "berth.scalar" . }} }
    {{- end }}
{{- end }}
{{- end -}}

{{- define "berth.network.database" -}}
{{- if eq .Values.database.mode "bundled" }}
- to:
    - podSelector:
        matchLabels:
          {{- include "berth.selector" (list . "postgres") | nindent 10 }}
  ports: [{ protocol: TCP, port: 5432 }]
{{- else if eq .Values.database.mode "external" }}
{{- include "berth.network.blocks" (dict
      "networks" (.Values.database.external.networks | default (list "0.0.0.0/0" "::/0"))
      "ports" (list .Values.database.external.port)) }}
{{- end }}
{{- end -}}

{{- define "berth.network.metrics" -}}
{{- with .Values.networkPolicy.metricsFrom }}
- from:
    {{- toYaml . | nindent 4 }}
  ports: [{ protocol: TCP, port: 8081 }]
{{- end }}
{{- end -}}
