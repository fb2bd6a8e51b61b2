{{- define "berth.migration.jobSpec" -}}
{{- $migration := .Values.database.migration -}}
backoffLimit: 20
{{- include "berth.jobs.ttl" . }}
template:
  metadata:
    labels:
      {{- include "berth.podLabels" (list . "migration" dict) | nindent 6 }}
    {{- with .Values.jobs.revision }}
    annotations: { berth.dev/revision: {{ . | quote }} }
    {{- end }}
  spec:
    # It speaks to the database only.
    automountServiceAccountToken: false
    restartPolicy: OnFailure
    enableServiceLinks: false
    {{- include "berth.scheduling" (list . .Values.edge) | nindent 4 }}
    securityContext:
      {{- include "berth.podSecurity" 10001 | nindent 6 }}
    containers:
      - name: migrate
        image: {{ include "berth.image" (list . .Values.edge.image) | quote }}
        imagePullPolicy: {{ .Values.image.pullPolicy }}
        args:
          - migrate
          {{- with include "berth.database.roles" . }}
          - --roles
          - {{ . }}
          {{- end }}
          {{- if include "berth.database.edgeIsRestricted" . }}
          - --login
          - {{ include "berth.database.edgeUsername" . }}
          {{- end }}
        env:
          - name: Berth__Edge__Database__ConnectionString
            value: {{ include "berth.database.connection" (list . ($migration.username | default .Values.database.username)) | replace "$" "$$" | quote }}
          {{- $own := $migration.passwordSecret }}
          {{- include "berth.database.password" (list "PGPASSWORD" (ternary (toJson $own) (include "berth.database.ownerPassword" .) (ne $own.name ""))) | nindent 10 }}
          {{- if include "berth.database.edgeIsRestricted" . }}
          {{- include "berth.database.password" (list "BERTH_LOGIN_PASSWORD" (include "berth.database.edgePassword" .)) | nindent 10 }}
          {{- end }}
        resources:
          {{- toYaml $migration.resources | nindent 10 }}
        securityContext:
          {{- include "berth.containerSecurity" . | nindent 10 }}
        volumeMounts:
          - { name: tmp, mountPath: /tmp }
          {{- include "berth.database.caMount" . | nindent 10 }}
    volumes:
      - name: tmp
        emptyDir: {}
      {{- include "berth.database.caVolume" . | nindent 6 }}
{{- end -}}
