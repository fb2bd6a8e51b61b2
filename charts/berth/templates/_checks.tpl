{{/* All that cannot work, in one message: each with the value's name and the remedy. What the schema can say, it says (values.schema.json). */}}
{{- define "berth.checks" -}}
{{- $problems := concat
      (include "berth.checks.origin" . | fromYamlArray)
      (include "berth.checks.issuers" . | fromYamlArray)
      (include "berth.checks.options" . | fromYamlArray)
      (include "berth.checks.tls" . | fromYamlArray)
      (include "berth.checks.database" . | fromYamlArray)
      (include "berth.checks.secrets" . | fromYamlArray)
      (include "berth.checks.workspaces" . | fromYamlArray)
      (include "berth.checks.traefik" . | fromYamlArray) -}}
{{- if $problems -}}
{{- fail (printf "the values have %d problem(s):\n  - %s\n" (len $problems) (join "\n  - " $problems)) -}}
{{- end -}}
{{- end -}}

{{- define "berth.checks.origin" -}}
{{- $host := include "berth.host" .Values.publicOrigin -}}
{{- $domain := .Values.workspaceDomain -}}
{{- $loopback := regexMatch "^(localhost|.*\\.localhost|127\\.[0-9.]+)$" $host -}}
{{- if not .Values.publicOrigin }}
- "publicOrigin is missing: set the origin that people use, such as https://berth.example.com"
{{- else if not (regexMatch "^https?://[a-z0-9]([a-z0-9.-]*[a-z0-9])?(:[0-9]{1,5})?$" .Values.publicOrigin) }}
- {{ printf "publicOrigin is '%s': give scheme, host in lower case, and port where it is not the default one; no path and no slash at the end" .Values.publicOrigin | toJson }}
{{- else if and (hasPrefix "http://" .Values.publicOrigin) (not $loopback) }}
- {{ printf "publicOrigin is '%s': without https cookies would travel in the clear; http is for localhost only" .Values.publicOrigin | toJson }}
{{- end }}
{{- if not $domain }}
- "workspaceDomain is missing: set the domain below which workspaces are served, such as workspaces.example.dev"
{{- else if not (regexMatch "^[a-z0-9]([a-z0-9-]*[a-z0-9])?(\\.[a-z0-9]([a-z0-9-]*[a-z0-9])?)*$" $domain) }}
- {{ printf "workspaceDomain is '%s': give a domain in lower case, without scheme, port and wildcard, such as workspaces.example.dev" $domain | toJson }}
{{- else if and (eq $domain $host) (or .Values.pathPrefix (not $loopback)) }}
- {{ printf "workspaceDomain is '%s', the host of publicOrigin: pages of workspaces are programs of their owners and must not share the edge's domain; give them another one" $domain | toJson }}
{{- else if and (not .Values.pathPrefix) (hasSuffix (printf ".%s" $domain) $host) }}
- {{ printf "publicOrigin's host '%s' is below workspaceDomain '%s', where workspaces are: give one of them another domain" $host $domain | toJson }}
{{- end }}
{{- if and .Values.pathPrefix (ne .Values.workspaces.routing "None") }}
- {{ printf "pathPrefix needs workspaces.routing: None, and it is %s: routes of workspaces are by host" .Values.workspaces.routing | toJson }}
{{- end }}
{{- end -}}

{{- define "berth.checks.issuers" -}}
{{- if not .Values.issuers }}
- "issuers is empty: name the OpenID Provider people sign in with, as issuers: [{issuer: https://…, clientId: …, clientSecretRef: {name: …, key: …}}]"
{{- end }}
{{- range $index, $issuer := .Values.issuers }}
{{- if not $issuer.issuer }}
- {{ printf "issuers[%d].issuer is missing: copy it from the provider's discovery document, letter by letter" $index | toJson }}
{{- end }}
{{- if not $issuer.clientId }}
- {{ printf "issuers[%d].clientId is missing: the client that is registered for Berth at the provider" $index | toJson }}
{{- end }}
{{- if and $issuer.clientSecret $issuer.clientSecretRef }}
- {{ printf "issuers[%d] has clientSecret and clientSecretRef: keep the reference and take the other out" $index | toJson }}
{{- end }}
{{- with $issuer.clientSecretRef }}{{- if not .name }}
- {{ printf "issuers[%d].clientSecretRef.name is missing: the Secret of the release's namespace that holds the client secret" $index | toJson }}
{{- end }}{{- end }}
{{- end }}
{{- range $name, $connection := .Values.connections }}
{{- if not (regexMatch "^[a-z0-9]([a-z0-9-]*[a-z0-9])?$" $name) }}
- {{ printf "connections has the name '%s': use lower-case letters, digits and dashes" $name | toJson }}
{{- end }}
{{- if and $connection.clientSecret $connection.clientSecretRef }}
- {{ printf "connections.%s has clientSecret and clientSecretRef: keep the reference and take the other out" $name | toJson }}
{{- end }}
{{- end }}
{{- if and .Values.connections (not (include "berth.hasVault" .)) }}
- "connections need the token vault: set secrets.vault.enabled and a database"
{{- end }}
{{- end -}}

{{/* Options that other parts of the chart rest on: set there, the rest would not know. */}}
{{- define "berth.checks.options" -}}
{{- $edge := include "berth.pascal" .Values.edge.options | fromYaml -}}
{{- $operator := include "berth.pascal" .Values.operator.options | fromYaml -}}
{{- range $option, $value := dict "PublicOrigin" "publicOrigin" "WorkspaceDomain" "workspaceDomain" "PathPrefix.Enabled" "pathPrefix" "Issuers" "issuers"
      "Administrators" "administrators" "Connections" "connections" "TrustedProxies" "trustedProxies" "Drain.Lead" "edge.drain.leadSeconds"
      "Drain.Grace" "edge.drain.graceSeconds" "Workspaces.Namespace" "workspaces.namespace" "Workspaces.PolicyName" "policy.name"
      "Database.ConnectionString" "database" "Session.KeyFiles" "secrets.session" "Identity.KeyFiles" "secrets.identity" "Vault.Keys" "secrets.vault.keys"
      "Vault.FingerprintKeys" "secrets.vault.fingerprints" }}
{{- $path := splitList "." $option }}
{{- $found := get $edge (first $path) }}
{{- if gt (len $path) 1 }}{{ $found = get ($found | default dict) (last $path) }}{{ end }}
{{- if $found }}
- {{ printf "edge.options sets %s: the chart has the value %s for it, which other parts rest on as well" (replace "." ":" $option) $value | toJson }}
{{- end }}
{{- end }}
{{- range $option, $value := dict "PublicOrigin" "publicOrigin" "WorkspaceDomain" "workspaceDomain" "PathPrefix" "pathPrefix" "Namespace" "workspaces.namespace"
      "Routing" "workspaces.routing" "PolicyName" "policy.name" "LeaderElection" "operator.replicas" "Backup" "workspaces.backup" }}
{{- if get $operator $option }}
- {{ printf "operator.options sets %s: the chart has the value %s for it, which other parts rest on as well" $option $value | toJson }}
{{- end }}
{{- end }}
{{- if or $edge.Management (get ($edge.Listener | default dict) "Port") $operator.Management }}
- "edge.options and operator.options cannot move the ports 8080 and 8081: Services, probes and network policies name them"
{{- end }}
{{- end -}}

{{- define "berth.checks.tls" -}}
{{- $tls := .Values.tls -}}
{{- $https := include "berth.isHttps" . -}}
{{- if and (eq $tls.mode "certResolver") (not $tls.certResolver) }}
- "tls.mode is certResolver and tls.certResolver is empty: name the resolver of Traefik's static configuration"
{{- end }}
{{- if and $tls.certResolver (ne $tls.mode "certResolver") }}
- {{ printf "tls.certResolver is '%s' and tls.mode is %s: set tls.mode to certResolver, or take the resolver out" $tls.certResolver $tls.mode | toJson }}
{{- end }}
{{- if and (eq $tls.mode "certManager") (not $tls.certManager.issuerRef.name) }}
- "tls.mode is certManager and tls.certManager.issuerRef.name is empty: name the Issuer or ClusterIssuer"
{{- end }}
{{- if and $tls.certManager.issuerRef.name (ne $tls.mode "certManager") }}
- {{ printf "tls.certManager.issuerRef.name is '%s' and tls.mode is %s: set tls.mode to certManager, or take the issuer out" $tls.certManager.issuerRef.name $tls.mode | toJson }}
{{- end }}
{{- if and (eq $tls.mode "secret") (not $tls.secretName) }}
- "tls.mode is secret and tls.secretName is empty: name the Secret of the release's namespace that holds the certificate"
{{- end }}
{{- if and $tls.secretName (ne $tls.mode "secret") }}
- {{ printf "tls.secretName is '%s' and tls.mode is %s: set tls.mode to secret, or take the name out" $tls.secretName $tls.mode | toJson }}
{{- end }}
{{- if and (hasPrefix "http://" .Values.publicOrigin) (has $tls.mode (list "certResolver" "certManager" "secret")) }}
- {{ printf "tls.mode is %s and publicOrigin begins with http: set it to https, or tls.mode to none" $tls.mode | toJson }}
{{- end }}
{{- if and (eq $tls.mode "certResolver") (not .Values.traefik.enabled) }}
- "tls.mode is certResolver and traefik.enabled is false: Traefik is who would resolve; use another mode"
{{- end }}
{{- end -}}

{{- define "berth.checks.database" -}}
{{- $database := .Values.database -}}
{{- if eq $database.mode "external" }}
{{- if not $database.external.host }}
- "database.external.host is missing: name your PostgreSQL, or set database.mode to bundled for trying out"
{{- end }}
{{- if not $database.external.passwordSecret.name }}
- "database.external.passwordSecret.name is missing: name the Secret of the release's namespace that holds the password of database.username"
{{- end }}
{{- if and $database.migration.username (not $database.migration.passwordSecret.name) }}
- {{ printf "database.migration.username is '%s' and database.migration.passwordSecret.name is empty: name the Secret with its password" $database.migration.username | toJson }}
{{- end }}
{{- range $key, $value := $database.external.parameters }}
{{- if regexMatch "(?i)^\\s*(password|pwd|passfile)\\s*$" $key }}
- {{ printf "database.external.parameters has '%s': a password belongs into database.external.passwordSecret" $key | toJson }}
{{- end }}
{{- if contains ";" (toString $value) }}
- {{ printf "database.external.parameters: the value of '%s' holds a semicolon, which would begin another parameter" $key | toJson }}
{{- end }}
{{- end }}
{{- else if eq $database.mode "bundled" }}
{{- if $database.external.host }}
- {{ printf "database.mode is bundled and database.external.host is '%s': set database.mode to external, or take the host out" $database.external.host | toJson }}
{{- end }}
{{- if or $database.migration.username $database.migration.passwordSecret.name }}
- "database.migration.username is for an external database: the bundled one makes its roles itself"
{{- end }}
{{- else }}
{{- if or .Values.edge.autoscaling.enabled (gt (int .Values.edge.replicas) 1) }}
- "database.mode is none, and then accounts are in the memory of one replica: set edge.replicas to 1 and edge.autoscaling.enabled to false"
{{- end }}
{{- end }}
{{- range $field, $text := dict "database.name" $database.name "database.username" $database.username "database.external.host" $database.external.host "database.migration.username" $database.migration.username }}
{{- if regexMatch "[;'\"=]" $text }}
- {{ printf "%s is '%s': a semicolon, a quotation mark or an equals sign cannot be part of it" $field $text | toJson }}
{{- end }}
{{- end }}
{{- end -}}

{{- define "berth.checks.secrets" -}}
{{- $secrets := .Values.secrets -}}
{{- range $what, $entries := dict "session" $secrets.session "identity" $secrets.identity }}
{{- if or (lt (len $entries) 1) (gt (len $entries) 2) }}
- {{ printf "secrets.%s names %d keys: one, or two while they are rotated" $what (len $entries) | toJson }}
{{- end }}
{{- end }}
{{- if include "berth.hasVault" . }}
{{- range $what, $keys := dict "keys" $secrets.vault.keys "fingerprints" $secrets.vault.fingerprints }}
{{- $active := 0 }}
{{- range $keys }}{{ if eq (toString .state) "Active" }}{{ $active = add1 $active }}{{ end }}{{ end }}
{{- if ne (int $active) 1 }}
- {{ printf "secrets.vault.%s has %d keys with the state Active: exactly one seals, the others are DecryptOnly or Retired" $what (int $active) | toJson }}
{{- end }}
{{- end }}
{{- end }}
{{- $names := list }}
{{- range include "berth.keyEntries" . | fromYamlArray }}{{ $names = append $names .name }}{{ end }}
{{- if ne (len $names) (len (uniq $names)) }}
- {{ printf "secrets names an entry twice (%s): each key has an entry of its own" (join ", " $names) | toJson }}
{{- end }}
{{- end -}}

{{- define "berth.checks.workspaces" -}}
{{- $workspaces := .Values.workspaces -}}
{{- if eq (include "berth.workspacesNamespace" .) .Release.Namespace }}
{{- if or $workspaces.quota.enabled $workspaces.limitRange.enabled }}
- {{ printf "workspaces.namespace is the release's own (%s): a quota would count operator and edge as well; set workspaces.quota.enabled and workspaces.limitRange.enabled to false, or give workspaces a namespace of their own" .Release.Namespace | toJson }}
{{- end }}
{{- end }}
{{- if has $workspaces.namespace (list "default" "kube-system" "kube-public" "kube-node-lease") }}
- {{ printf "workspaces.namespace is %s, which is not for people's programs: give a namespace of their own" $workspaces.namespace | toJson }}
{{- end }}
{{- range $name, $template := .Values.templates }}
{{- if $template }}
{{- if not (regexMatch "^[a-z0-9]([a-z0-9-]*[a-z0-9])?$" $name) }}
- {{ printf "templates has the name '%s': use lower-case letters, digits and dashes" $name | toJson }}
{{- end }}
{{- if not $template.image }}
- {{ printf "templates.%s.image is missing: the image of the application" $name | toJson }}
{{- end }}
{{- end }}
{{- end }}
{{- end -}}

{{- define "berth.checks.traefik" -}}
{{- if .Values.traefik.enabled }}
{{- if and (not .Values.trustedProxies) (eq .Values.workspaces.routing "ForwardAuth") }}
- "trustedProxies is empty: the edge answers Traefik's questions only from networks that are named there, so nobody would get into a workspace; give the network of Traefik's pods, such as [10.42.0.0/16]"
{{- end }}
{{- if not .Values.traefik.entryPoints }}
- "traefik.entryPoints is empty: name those that people come by, such as [websecure]"
{{- end }}
{{- if and .Values.traefik.middlewares.allowList.enabled (not .Values.traefik.middlewares.allowList.sourceRange) }}
- "traefik.middlewares.allowList.sourceRange is empty: it would let nobody in; name networks, or set enabled to false"
{{- end }}
{{- else if ne .Values.workspaces.routing "None" }}
- {{ printf "traefik.enabled is false and workspaces.routing is %s, which makes routes of Traefik: set it to None" .Values.workspaces.routing | toJson }}
{{- end }}
{{- if and (not .Values.traefik.enabled) .Values.networkPolicy.enabled (not .Values.networkPolicy.edgeFrom) }}
- "traefik.enabled is false and networkPolicy.edgeFrom is empty: nobody would reach the edge; name who leads to it, such as [{ipBlock: {cidr: 10.0.0.0/8}}]"
{{- end }}
{{- range .Values.trustedProxies }}
{{- if not (regexMatch "^[0-9a-fA-F.:]+/[0-9]+$" .) }}
- {{ printf "trustedProxies holds '%s': give networks such as 10.42.0.0/16" . | toJson }}
{{- else if hasSuffix "/0" . }}
- {{ printf "trustedProxies holds '%s', which trusts everybody: name the networks of your proxies" . | toJson }}
{{- end }}
{{- end }}
{{- if and .Values.cloudflare.only (not .Values.cloudflare.enabled) }}
- "cloudflare.only needs cloudflare.enabled"
{{- end }}
{{- end -}}
