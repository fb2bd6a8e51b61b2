{{- define "berth.crds.jobSpec" -}}
backoffLimit: 5
{{- include "berth.jobs.ttl" . }}
template:
  metadata:
    labels:
      {{- include "berth.podLabels" (list . "definitions" dict) | nindent 6 }}
    {{- with .Values.jobs.revision }}
    annotations: { berth.dev/revision: {{ . | quote }} }
    {{- end }}
  spec:
    serviceAccountName: {{ include "berth.fullname" . }}-definitions
    restartPolicy: OnFailure
    enableServiceLinks: false
    {{- include "berth.scheduling" (list . .Values.operator) | nindent 4 }}
    securityContext:
      {{- include "berth.podSecurity" 10001 | nindent 6 }}
    containers:
      - name: definitions
        image: {{ include "berth.image" (list . .Values.operator.image) | quote }}
        imagePullPolicy: {{ .Values.image.pullPolicy }}
        args:
          - crds
          - --apply
          {{- if semverCompare "<1.25-0" .Capabilities.KubeVersion.Version }}
          # It does not know CEL rules.
          - --without-cel
          {{- end }}
        resources:
          {{- toYaml .Values.operator.resources | nindent 10 }}
        securityContext:
          {{- include "berth.containerSecurity" . | nindent 10 }}
{{- end -}}
