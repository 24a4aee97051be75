{{- /* Written by the AppHost's publish command; changes made here are lost. */ -}}
{{/* The pod of a service, as the template of its Deployment or Job. Takes root, name and service. */}}
{{- define "factorystream.pod" -}}
{{- $root := .root }}
{{- $service := .service }}
{{- $values := index $root.Values $service.values }}
metadata:
  labels:
    {{- include "factorystream.labels" . | nindent 4 }}
  annotations:
    # A changed configuration replaces the pods.
    checksum/config: {{ include "factorystream.config" . | sha256sum }}
spec:
  serviceAccountName: {{ .name }}-account
  automountServiceAccountToken: false
  enableServiceLinks: false
  securityContext:
    {{- /* The user app of .NET's images. */}}
    {{- include "factorystream.podSecurity" 1654 | nindent 4 }}
  {{- if $service.job }}
  restartPolicy: OnFailure
  {{- else }}
  terminationGracePeriodSeconds: {{ int $values.terminationGracePeriodSeconds }}
  topologySpreadConstraints:
    - maxSkew: 1
      topologyKey: kubernetes.io/hostname
      whenUnsatisfiable: ScheduleAnyway
      labelSelector:
        matchLabels:
          {{- include "factorystream.labels" . | nindent 10 }}
  {{- end }}
  {{- include "factorystream.everyPod" $root | nindent 2 }}
  containers:
    - name: {{ .name }}
      {{- $image := printf "%s:%s" $values.image.repository (default $root.Chart.AppVersion $root.Values.image.tag) }}
      image: {{ with $root.Values.image.registry }}{{ print . "/" $image | quote }}{{ else }}{{ quote $image }}{{ end }}
      imagePullPolicy: {{ $root.Values.image.pullPolicy | quote }}
      {{- with $service.args }}
      args: {{ toJson . }}
      {{- end }}
      envFrom:
        - configMapRef:
            name: {{ .name }}-config
        # Optional: without the value no Secret of this name need exist.
        - secretRef:
            name: {{ default "otlp-headers" $root.Values.otlp.headersSecret | quote }}
            optional: true
        {{- if $service.kafka }}
        # How to sign in at a Kafka of the user's own.
        - prefix: Kafka__
          secretRef:
            name: {{ default "kafka-client" $root.Values.kafka.external.clientSecret | quote }}
            optional: true
        {{- end }}
      # What a ConfigMap must not hold: secrets, and what is made of them in the pod.
      env:
        - name: POD_NAME
          valueFrom:
            fieldRef:
              fieldPath: metadata.name
        - name: POD_NAMESPACE
          valueFrom:
            fieldRef:
              fieldPath: metadata.namespace
        - name: OTEL_RESOURCE_ATTRIBUTES
          value: "service.instance.id=$(POD_NAME),k8s.pod.name=$(POD_NAME),k8s.namespace.name=$(POD_NAMESPACE)"
        {{- if $service.databases }}
        # Above the connection strings: Kubernetes puts in only what stands above.
        - name: POSTGRES_PASSWORD
          valueFrom:
            secretKeyRef:
              {{- include "factorystream.databasePassword" $root | nindent 14 }}
        {{- end }}
        {{- range $variable, $database := $service.databases }}
        - name: {{ $variable }}
          value: {{ include "factorystream.database" (dict "root" $root "name" $database) | quote }}
        {{- end }}
        {{- range $variable, $secret := $service.secrets }}
        - name: {{ $variable }}
          valueFrom:
            secretKeyRef:
              {{- $given := index $root.Values.parameters $secret.values }}
              {{- include "factorystream.secretKey" (dict "name" $secret.name "values" $given) | nindent 14 }}
        {{- end }}
      {{- if $service.port }}
      ports:
        - name: http
          containerPort: 8080
          protocol: TCP
      {{- end }}
      {{- range $probe, $told := $service.probes }}
      {{ $probe }}Probe:
        httpGet:
          path: {{ $told.path }}
          port: http
          scheme: HTTP
        periodSeconds: {{ int $told.periodSeconds }}
        timeoutSeconds: {{ int $told.timeoutSeconds }}
        failureThreshold: {{ int $told.failureThreshold }}
      {{- end }}
      {{- if $service.external }}
      # Until every node has heard that the pod leaves, requests still come.
      lifecycle:
        preStop:
          sleep:
            seconds: 5
      {{- end }}
      resources:
        {{- include "factorystream.resources" $values | nindent 8 }}
      securityContext:
        {{- include "factorystream.containerSecurity" . | nindent 8 }}
      volumeMounts:
        - name: tmp
          mountPath: /tmp
  volumes:
    - name: tmp
      emptyDir: {sizeLimit: 256Mi}
{{- end }}

{{/* The variables of a service that are no secrets: data of its ConfigMap. Takes root, name and service. */}}
{{- define "factorystream.config" -}}
OTEL_SERVICE_NAME: {{ .name }}
OTEL_DOTNET_EXPERIMENTAL_OTLP_RETRY: in_memory
{{- with .root.Values.otlp }}
{{- if .endpoint }}
OTEL_EXPORTER_OTLP_ENDPOINT: {{ .endpoint | quote }}
OTEL_EXPORTER_OTLP_PROTOCOL: {{ .protocol | quote }}
{{- end }}
{{- end }}
{{- if .service.port }}
ASPNETCORE_FORWARDEDHEADERS_ENABLED: "true"
HTTP_PORTS: "8080"
{{- end }}
{{- with .service.kafka }}
{{ . }}: {{ include "factorystream.kafka" $.root | quote }}
{{- end }}
{{- range $variable, $url := .service.urls }}
{{ $variable }}: {{ quote $url }}
{{- end }}
{{- range $variable, $value := (index .root.Values .service.values).config }}
{{- /* Not quote alone, which would write a million as 1e+06. */}}
{{ $variable }}: {{ if kindIs "string" $value }}{{ quote $value }}{{ else }}{{ toJson $value | quote }}{{ end }}
{{- end }}
{{- end }}
