{{/* The operator's options as a tree, from the values; docs/operator.md has their names. Returns YAML. */}}
{{- define "berth.operator.options" -}}
{{- $selector := include "berth.selector" (list . "edge") | fromYaml -}}
{{- $options := dict
      "PublicOrigin" .Values.publicOrigin
      "WorkspaceDomain" .Values.workspaceDomain
      "Namespace" (include "berth.workspacesNamespace" .)
      "Routing" .Values.workspaces.routing
      "ImagePullPolicy" .Values.image.pullPolicy
      "Workers" .Values.operator.workers
      "PolicyName" .Values.policy.name
      "Edge" (dict
        "Namespace" .Release.Namespace
        "Service" (printf "%s-edge" (include "berth.fullname" .))
        "Port" .Values.edge.service.port
        "TargetPort" 8080
        "PodLabels" (include "berth.labelList" $selector))
      "Network" (dict
        "DnsLabels" (include "berth.labelList" .Values.workspaces.dnsLabels)
        "AllowedSources" (join "," .Values.workspaces.allowedSources)
        "DeniedDestinations" (join "," .Values.workspaces.deniedDestinations))
      "LeaderElection" (dict
        "Lease" (printf "%s-operator" (include "berth.fullname" .))
        "Namespace" .Release.Namespace)
      "Backup" (mergeOverwrite
        (dict "Image" (include "berth.image" (list . .Values.operator.image)))
        (include "berth.pascal" .Values.workspaces.backup | fromYaml))
      "Management" (dict "Address" "0.0.0.0" "Port" 8081) -}}
{{- if .Values.pathPrefix -}}
{{- $_ := set $options "PathPrefix" true -}}
{{- end -}}
{{- /* No certificate is named: Traefik takes the one of the wildcard route by the host's name. */ -}}
{{- $_ := set $options "Traefik" (dict
      "EntryPoints" (join "," .Values.traefik.entryPoints)
      "Tls" (and (eq (include "berth.isHttps" .) "true") (ne .Values.tls.mode "none"))
      "PodLabels" (include "berth.labelList" .Values.traefik.podLabels)) -}}
{{- toYaml (mergeOverwrite $options (include "berth.pascal" .Values.operator.options | fromYaml)) -}}
{{- end -}}

{{/* Labels as name=value,name=value. */}}
{{- define "berth.labelList" -}}
{{- $pairs := list -}}
{{- range $key, $value := . -}}
{{- $pairs = append $pairs (printf "%s=%s" $key $value) -}}
{{- end -}}
{{- join "," $pairs -}}
{{- end -}}
