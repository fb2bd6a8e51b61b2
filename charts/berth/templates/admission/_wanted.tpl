{{- define "berth.admission.wanted" -}}
{{- $enabled := toString .Values.admission.enabled -}}
{{- if or (eq $enabled "true") (and (eq $enabled "auto") (semverCompare ">=1.30-0" .Capabilities.KubeVersion.Version)) }}true{{ end -}}
{{- end -}}
