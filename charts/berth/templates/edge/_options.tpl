{{/* The edge's options as a tree, from the values; docs/edge.md has their names. Returns YAML. */}}
{{- define "berth.edge.options" -}}
{{- $options := dict
      "PublicOrigin" .Values.publicOrigin
      "WorkspaceDomain" .Values.workspaceDomain
      "Administrators" (include "berth.pascal" (dict "items" .Values.administrators) | fromYaml).Items
      "TrustedProxies" (include "berth.trustedProxies" . | fromYaml).networks
      "Listener" (dict "Port" 8080)
      "Management" (dict "Address" "0.0.0.0" "Port" 8081)
      "Drain" (dict "Lead" (include "berth.timeSpan" .Values.edge.drain.leadSeconds) "Grace" (include "berth.timeSpan" .Values.edge.drain.graceSeconds))
      "Workspaces" (dict
        "Namespace" (include "berth.workspacesNamespace" .)
        "DefaultTemplate" .Values.workspaces.defaultTemplate
        "MaximumPerPerson" .Values.workspaces.maximumPerPerson
        "PolicyName" .Values.policy.name) -}}
{{- if .Values.pathPrefix -}}
{{- $_ := set $options "PathPrefix" (dict "Enabled" true) -}}
{{- end -}}
{{- /* Providers and connections: their secrets are files. */ -}}
{{- $issuers := list -}}
{{- range $index, $issuer := .Values.issuers -}}
{{- $one := include "berth.pascal" (omit $issuer "clientSecret" "clientSecretRef") | fromYaml -}}
{{- if or $issuer.clientSecret $issuer.clientSecretRef -}}
{{- $_ := set $one "ClientSecretFile" (printf "/etc/berth/clients/issuer-%d" $index) -}}
{{- end -}}
{{- $issuers = append $issuers $one -}}
{{- end -}}
{{- $_ := set $options "Issuers" $issuers -}}
{{- $connections := dict -}}
{{- range $name, $connection := .Values.connections -}}
{{- $one := include "berth.pascal" (omit $connection "clientSecret" "clientSecretRef") | fromYaml -}}
{{- if or $connection.clientSecret $connection.clientSecretRef -}}
{{- $_ := set $one "ClientSecretFile" (printf "/etc/berth/clients/connection-%s" $name) -}}
{{- end -}}
{{- $_ := set $connections $name $one -}}
{{- end -}}
{{- $_ := set $options "Connections" $connections -}}
{{- /* Keys. */ -}}
{{- $session := list -}}
{{- range .Values.secrets.session -}}{{- $session = append $session (printf "/etc/berth/keys/%s" .) -}}{{- end -}}
{{- $identity := list -}}
{{- range .Values.secrets.identity -}}{{- $identity = append $identity (printf "/etc/berth/keys/%s" .) -}}{{- end -}}
{{- $_ := set $options "Session" (dict "KeyFiles" $session) -}}
{{- $_ := set $options "Identity" (dict "KeyFiles" $identity) -}}
{{- if include "berth.hasVault" . -}}
{{- $keys := list -}}
{{- range .Values.secrets.vault.keys -}}
{{- $keys = append $keys (dict "Id" .id "File" (printf "/etc/berth/keys/vault-%s" .id) "State" .state) -}}
{{- end -}}
{{- $fingerprints := list -}}
{{- range .Values.secrets.vault.fingerprints -}}
{{- $fingerprints = append $fingerprints (dict "Id" .id "File" (printf "/etc/berth/keys/fingerprint-%s" .id) "State" .state) -}}
{{- end -}}
{{- $_ := set $options "Vault" (dict "Keys" $keys "FingerprintKeys" $fingerprints) -}}
{{- end -}}
{{- if ne .Values.database.mode "none" -}}
{{- $_ := set $options "Database" (dict "ConnectionString" (include "berth.database.connection" (list . (include "berth.database.edgeUsername" .))) "Migrate" (not .Values.database.migration.enabled)) -}}
{{- end -}}
{{- toYaml (mergeOverwrite $options (include "berth.pascal" .Values.edge.options | fromYaml)) -}}
{{- end -}}

{{- define "berth.hasVault" -}}
{{- if and .Values.secrets.vault.enabled (ne .Values.database.mode "none") }}true{{ end -}}
{{- end -}}

{{/* Whose word counts: the proxies, and Cloudflare before them where traffic comes that way. Returns YAML: networks. */}}
{{- define "berth.trustedProxies" -}}
networks:
  {{- toYaml (concat .Values.trustedProxies (include "berth.cloudflare" . | fromYaml).networks) | nindent 2 }}
{{- end -}}

{{- define "berth.cloudflare" -}}
networks:
{{- if .Values.cloudflare.enabled }}
  {{- if .Values.cloudflare.ranges }}
  {{- toYaml .Values.cloudflare.ranges | nindent 2 }}
  {{- else }}
  {{- toYaml (.Files.Get "files/cloudflare.yaml" | fromYaml).ranges | nindent 2 }}
  {{- end }}
{{- else }} []
{{- end }}
{{- end -}}
