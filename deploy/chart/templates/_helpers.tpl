{{- /* Written by the AppHost's publish command; changes made here are lost. */ -}}
{{/*
What the app model says: model.yaml. The services in it that are installed are what templates/services/ makes objects of:

    {{- range $name, $service := include "factorystream.services" . | fromYaml }}

Each has beside model.yaml's keys `values`, the name of its part of values.yaml.
*/}}
{{- define "factorystream.services" -}}
{{- range $name, $service := (.Files.Get "model.yaml" | fromYaml).services }}
{{- if dig "enabled" true (index $.Values $service.values) }}
{{ dict $name $service | toYaml }}
{{- end }}
{{- end }}
{{- end }}

{{/* The labels of a component's objects; also what selects its pods. Takes root and name. */}}
{{- define "factorystream.labels" -}}
app.kubernetes.io/name: {{ .root.Chart.Name | quote }}
app.kubernetes.io/instance: {{ .root.Release.Name | quote }}
app.kubernetes.io/component: {{ .name }}
{{- end }}

{{/* The pods of components that may connect, for a NetworkPolicy. Takes root and names. */}}
{{- define "factorystream.clients" -}}
{{- range .names }}
- podSelector:
    matchLabels:
      {{- include "factorystream.labels" (dict "root" $.root "name" .) | nindent 6 }}
{{- end }}
{{- end }}

{{/* What a pod's container may do: nothing in particular, and it writes nowhere but where it is told. */}}
{{- define "factorystream.containerSecurity" -}}
allowPrivilegeEscalation: false
readOnlyRootFilesystem: true
capabilities:
  drop: [ALL]
{{- end }}

{{/* As whom a pod runs. Takes the user's number. */}}
{{- define "factorystream.podSecurity" -}}
runAsNonRoot: true
runAsUser: {{ . }}
runAsGroup: {{ . }}
seccompProfile:
  type: RuntimeDefault
{{- end }}

{{/* What a pod is sure of, and may not go beyond. Takes the values of its service or server. */}}
{{- define "factorystream.resources" -}}
{{- with .resources.requests }}
requests: {{ toJson . }}
{{- end }}
{{- with .resources.limits }}
limits: {{ toJson . }}
{{- end }}
{{- end }}

{{/* What the values say of all pods. */}}
{{- define "factorystream.everyPod" -}}
{{- with .Values.image.pullSecrets }}
imagePullSecrets: {{ toJson . }}
{{- end }}
{{- with .Values.nodeSelector }}
nodeSelector: {{ toJson . }}
{{- end }}
{{- with .Values.tolerations }}
tolerations: {{ toJson . }}
{{- end }}
{{- end }}

{{/* A claim for a server's data; it outlives an uninstall. Takes name and the server's values. */}}
{{- define "factorystream.claim" -}}
metadata:
  name: {{ .name }}
spec:
  accessModes: [ReadWriteOnce]
  {{- with .values.storage.className }}
  storageClassName: {{ quote . }}
  {{- end }}
  resources:
    requests:
      storage: {{ .values.storage.size | quote }}
{{- end }}

{{/*
A Secret that is generated at the first installation and read back from the cluster at every later one. It is kept at an uninstall: whoever
reinstalls finds the data of before, and must find what opens it. Takes root, name and length.
*/}}
{{- define "factorystream.generatedSecret" -}}
{{- $secret := print .name "-secrets" }}
{{- $known := dig "data" .name "" (lookup "v1" "Secret" .root.Release.Namespace $secret) }}
apiVersion: v1
kind: Secret
metadata:
  name: {{ $secret }}
  labels:
    {{- include "factorystream.labels" . | nindent 4 }}
  annotations:
    helm.sh/resource-policy: keep
type: Opaque
stringData:
  {{ .name }}: {{ default (randAlphaNum (int .length)) ($known | b64dec) | quote }}
{{- end }}

{{/* Where a pod reads a secret: in a Secret of the user's, or the generated one. Takes name and its values (of parameters). */}}
{{- define "factorystream.secretKey" -}}
name: {{ default (print .name "-secrets") .values.existingSecret | quote }}
key: {{ ternary .values.existingSecretKey .name (ne .values.existingSecret "") | quote }}
{{- end }}

{{/*
Kafka's bootstrap address. With the namespace, so that an autoscaler in another one finds the broker by what the broker says of itself.
*/}}
{{- define "factorystream.kafka" -}}
{{- if .Values.kafka.enabled -}}
kafka-service.{{ .Release.Namespace }}.svc:9092
{{- else -}}
{{ required "kafka.external.bootstrapServers is missing" .Values.kafka.external.bootstrapServers }}
{{- end }}
{{- end }}

{{/*
A database's connection string; Kubernetes puts in the pod's variable POSTGRES_PASSWORD. That is quoted, since a password of somebody else's
making may hold a semicolon. Takes root and the database's name on the chart's own server.
*/}}
{{- define "factorystream.database" -}}
{{- $password := "Password=\"$(POSTGRES_PASSWORD)\"" -}}
{{- if .root.Values.postgres.enabled -}}
Host=postgres-service;Port=5432;Username=postgres;{{ $password }};Database={{ .name }}
{{- else -}}
{{- $external := .root.Values.postgres.external -}}
Host={{ required "postgres.external.host is missing" $external.host }};Port={{ int $external.port }};Username={{ $external.username }};
{{- $password }};Database={{ $external.database }};{{ $external.options }}
{{- end }}
{{- end }}

{{/* Where a pod reads the password of its database's user. */}}
{{- define "factorystream.databasePassword" -}}
{{- if .Values.postgres.enabled -}}
{{ include "factorystream.secretKey" (dict "name" "postgres-password" "values" .Values.parameters.postgresPassword) }}
{{- else -}}
name: {{ required "postgres.external.existingSecret is missing" .Values.postgres.external.existingSecret | quote }}
key: {{ .Values.postgres.external.passwordKey | quote }}
{{- end }}
{{- end }}
