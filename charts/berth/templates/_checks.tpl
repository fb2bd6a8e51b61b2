{{/* All that cannot work, in one message: each with the value's name and the remedy. */}}
{{- define "berth.checks" -}}
{{- $problems := list -}}
{{- if not (regexMatch "^https?://[a-zA-Z0-9.-]+(:[0-9]+)?$" .Values.publicOrigin) -}}
{{- $problems = append $problems (printf "publicOrigin is '%s'; set the origin that people use, scheme and host and no path, such as https://berth.example.com" .Values.publicOrigin) -}}
{{- end -}}
{{- if not (regexMatch "^[a-z0-9]([a-z0-9.-]*[a-z0-9])?$" .Values.workspaceDomain) -}}
{{- $problems = append $problems (printf "workspaceDomain is '%s'; set the domain below which workspaces are, in lower case, such as workspaces.example.dev" .Values.workspaceDomain) -}}
{{- end -}}
{{- if not .Values.issuers -}}
{{- $problems = append $problems "issuers is empty; name the OpenID Provider that people sign in with: issuers: [{issuer: https://…, clientId: …, clientSecretRef: {name: …, key: …}}]" -}}
{{- end -}}
{{- if $problems -}}
{{- fail (printf "the values cannot be used:\n  - %s" (join "\n  - " $problems)) -}}
{{- end -}}
{{- end -}}
