{{- define "twinmesh.selector" -}}
app.kubernetes.io/name: twinmesh
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end }}

{{- define "twinmesh.labels" -}}
{{ include "twinmesh.selector" . }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
{{- end }}
