import { choice, choiceType, flag, fraction, integer, listOf, text, url } from '../config/index.ts';

const samplers = [
  'always_on',
  'always_off',
  'traceidratio',
  'parentbased_always_on',
  'parentbased_always_off',
  'parentbased_traceidratio',
] as const;

const protocols = ['http/protobuf', 'http/json'] as const;

/** At most 10,000,000 spans may wait: beyond that a typing mistake would take all of the memory. */
const maxSpans = 10_000_000;
const hourMs = 3_600_000;

/**
 * Whether and where traces go: variables of the OpenTelemetry specification
 * (https://opentelemetry.io/docs/specs/otel/configuration/sdk-environment-variables), in its units. Those of the
 * exporter that are not read here, it reads itself.
 */
export const tracingConfig = {
  otelSdkDisabled: flag({ env: 'OTEL_SDK_DISABLED', default: false, doc: '`true`: no traces, whatever else is set.' }),
  otelTracesExporter: choice({
    env: 'OTEL_TRACES_EXPORTER',
    values: ['otlp', 'none'],
    doc: 'Where traces go. Default: `otlp` if an endpoint is set, otherwise nowhere. See docs/tracing.md.',
  }),
  otelEndpoint: url({
    env: 'OTEL_EXPORTER_OTLP_ENDPOINT',
    doc: 'Base URL of the collector; traces go to `/v1/traces` below it. If traces are on without an endpoint: `http://localhost:4318`.',
  }),
  otelTracesEndpoint: url({
    env: 'OTEL_EXPORTER_OTLP_TRACES_ENDPOINT',
    doc: 'Full URL for traces, instead of the one above.',
  }),
  otelProtocol: choice({
    env: 'OTEL_EXPORTER_OTLP_PROTOCOL',
    values: protocols,
    default: 'http/protobuf',
    doc: 'Encoding of the traces.',
  }),
  otelTracesProtocol: choice({
    env: 'OTEL_EXPORTER_OTLP_TRACES_PROTOCOL',
    values: protocols,
    doc: 'The same, for traces alone.',
  }),
  otelHeaders: text({
    env: 'OTEL_EXPORTER_OTLP_HEADERS',
    secret: true,
    doc: 'Headers for the collector: `name=value,name=value`, percent-encoded.',
  }),
  otelTracesHeaders: text({
    env: 'OTEL_EXPORTER_OTLP_TRACES_HEADERS',
    secret: true,
    doc: 'Further headers, for traces alone.',
  }),
  otelTimeoutMs: integer({
    env: 'OTEL_EXPORTER_OTLP_TIMEOUT',
    default: 10_000,
    min: 1,
    max: hourMs,
    doc: 'Time limit of one export, in milliseconds.',
  }),
  otelTracesTimeoutMs: integer({
    env: 'OTEL_EXPORTER_OTLP_TRACES_TIMEOUT',
    min: 1,
    max: hourMs,
    doc: 'The same, for traces alone.',
  }),
  otelCompression: choice({
    env: 'OTEL_EXPORTER_OTLP_COMPRESSION',
    values: ['none', 'gzip'],
    default: 'none',
    doc: 'How exports are compressed.',
  }),
  otelCertificate: text({
    env: 'OTEL_EXPORTER_OTLP_CERTIFICATE',
    doc: 'Path of a PEM file with the authorities that may sign the certificate of the collector.',
  }),
  otelServiceName: text({
    env: 'OTEL_SERVICE_NAME',
    doc: 'Name of the process in traces. Default: `asyncfn-gateway`, `asyncfn-worker`.',
  }),
  otelResourceAttributes: text({
    env: 'OTEL_RESOURCE_ATTRIBUTES',
    doc: 'Further attributes of the process in traces: `key=value,key=value`, percent-encoded.',
  }),
  otelSampler: choice({
    env: 'OTEL_TRACES_SAMPLER',
    values: samplers,
    default: 'parentbased_always_on',
    doc: 'Which calls are traced. With `parentbased_`, a caller that sends a `traceparent` decides for its calls.',
  }),
  otelSamplerRatio: fraction({
    env: 'OTEL_TRACES_SAMPLER_ARG',
    default: 1,
    doc: 'The share of traces that the `traceidratio` samplers keep.',
  }),
  otelPropagators: listOf(choiceType(['tracecontext', 'baggage']), {
    env: 'OTEL_PROPAGATORS',
    default: ['tracecontext', 'baggage'],
    doc: 'How a trace is propagated. Only W3C trace context is supported; `baggage` is passed on like any header.',
  }),
  otelScheduleDelayMs: integer({
    env: 'OTEL_BSP_SCHEDULE_DELAY',
    default: 5_000,
    min: 1,
    max: hourMs,
    doc: 'How long spans are collected before an export, in milliseconds.',
  }),
  otelMaxQueueSize: integer({
    env: 'OTEL_BSP_MAX_QUEUE_SIZE',
    default: 2_048,
    min: 1,
    max: maxSpans,
    doc: 'Maximum number of spans that wait for an export. Further ones are dropped.',
  }),
  otelMaxBatchSize: integer({
    env: 'OTEL_BSP_MAX_EXPORT_BATCH_SIZE',
    default: 512,
    min: 1,
    max: maxSpans,
    doc: 'Maximum number of spans in one export; at most as many as may wait.',
  }),
  otelExportTimeoutMs: integer({
    env: 'OTEL_BSP_EXPORT_TIMEOUT',
    default: 30_000,
    min: 1,
    max: hourMs,
    doc: 'After this time an export is given up, in milliseconds.',
  }),
};
