{{/* The middlewares of a route, in their order. Call with (list $ …); renders a list of references. */}}
{{- define "berth.traefik.middlewares" -}}
{{- $middlewares := .Values.traefik.middlewares -}}
{{- $name := include "berth.fullname" . -}}
{{- range $middlewares.extra }}
- { name: {{ . }} }
{{- end }}
{{- if .Values.cloudflare.only }}
- { name: {{ $name }}-cloudflare-only }
{{- end }}
{{- if $middlewares.allowList.enabled }}
- { name: {{ $name }}-allow-list }
{{- end }}
{{- if $middlewares.inFlight.enabled }}
- { name: {{ $name }}-in-flight }
{{- end }}
{{- if $middlewares.rateLimit.enabled }}
- { name: {{ $name }}-rate-limit }
{{- end }}
{{- if $middlewares.headers.enabled }}
- { name: {{ $name }}-headers }
{{- end }}
{{- end -}}

{{/* How the client's address is found: Cloudflare's are passed over, else by depth. Nothing: the address of the connection. */}}
{{- define "berth.traefik.ipStrategy" -}}
{{- if .Values.cloudflare.enabled }}
ipStrategy:
  excludedIPs:
    {{- toYaml (include "berth.cloudflare" . | fromYaml).networks | nindent 4 }}
{{- else if .Values.traefik.middlewares.depth }}
ipStrategy: { depth: {{ .Values.traefik.middlewares.depth }} }
{{- end }}
{{- end -}}

{{/* The rule of all workspaces' hosts; without one of its own, a host leads to the edge. */}}
{{- define "berth.traefik.workspacesRule" -}}
{{- if .Values.pathPrefix -}}
Host(`{{ .Values.workspaceDomain }}`)
{{- else -}}
HostRegexp(`^[a-z0-9]([a-z0-9-]*[a-z0-9])?\.{{ .Values.workspaceDomain | replace "." "\\." }}$`)
{{- end -}}
{{- end -}}

{{/* Host names of the certificate of workspaces. */}}
{{- define "berth.traefik.workspacesHost" -}}
{{- if .Values.pathPrefix }}{{ .Values.workspaceDomain }}{{ else }}*.{{ .Values.workspaceDomain }}{{ end -}}
{{- end -}}

{{- define "berth.tls.edgeSecret" -}}
{{- if eq .Values.tls.mode "secret" }}{{ .Values.tls.secretName }}{{ else }}{{ include "berth.fullname" . }}-tls{{ end -}}
{{- end -}}

{{- define "berth.tls.workspacesSecret" -}}
{{- if eq .Values.tls.mode "secret" }}{{ .Values.tls.workspacesSecretName | default .Values.tls.secretName }}{{ else }}{{ include "berth.fullname" . }}-workspaces-tls{{ end -}}
{{- end -}}

{{/* tls of a route. Call with (list $ host secret options), options being a name or empty. */}}
{{- define "berth.traefik.tls" -}}
{{- $root := index . 0 -}}
{{- $mode := $root.Values.tls.mode -}}
{{- if and (include "berth.isHttps" $root) (ne $mode "none") -}}
{{- if eq $mode "certResolver" }}
tls:
  certResolver: {{ $root.Values.tls.certResolver }}
  domains:
    - main: {{ index . 1 | quote }}
{{- else if ne $mode "default" }}
tls:
  secretName: {{ index . 2 }}
{{- else if index . 3 }}
tls:
{{- else }}
tls: {}
{{- end }}
{{- with index . 3 }}
  options: { name: {{ . }} }
{{- end }}
{{- end -}}
{{- end -}}
