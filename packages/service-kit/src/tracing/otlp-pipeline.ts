import { randomUUID } from 'node:crypto';
import { access, constants } from 'node:fs/promises';
import { OTLPTraceExporter as JsonExporter } from '@opentelemetry/exporter-trace-otlp-http';
import { OTLPTraceExporter as ProtobufExporter } from '@opentelemetry/exporter-trace-otlp-proto';
import {
  defaultResource,
  detectResources,
  envDetector,
  type Resource,
  resourceFromAttributes,
} from '@opentelemetry/resources';
import {
  AlwaysOffSampler,
  AlwaysOnSampler,
  BatchSpanProcessor,
  ParentBasedSampler,
  type Sampler,
  type SpanExporter,
  TraceIdRatioBasedSampler,
  TracerProvider,
} from '@opentelemetry/sdk-trace';
import { ConfigError } from '../config/index.ts';
import { ReportingExporter } from './reporting-exporter.ts';
import type { SpanPipeline, TracingConfig, TracingOptions } from './span-pipeline.ts';

/** Spans on their way to an OTLP collector. This module loads the SDK: import it only where it is needed. */
export async function startPipeline(config: TracingConfig, options: TracingOptions): Promise<SpanPipeline> {
  await checkCertificate(config.otelCertificate);
  const { logger, serviceName, version } = options;
  const provider = new TracerProvider({
    resource: toResource(options),
    sampler: toSampler(config),
    spanProcessors: [
      new BatchSpanProcessor({
        exporter: new ReportingExporter(createExporter(config), logger),
        scheduledDelayMillis: config.otelScheduleDelayMs,
        maxQueueSize: config.otelMaxQueueSize,
        maxExportBatchSize: Math.min(config.otelMaxBatchSize, config.otelMaxQueueSize),
        exportTimeoutMillis: config.otelExportTimeoutMs,
      }),
    ],
  });
  return { tracer: provider.getTracer(serviceName, version), shutdown: () => provider.shutdown() };
}

/** URL, headers, time limit, compression and certificate it reads from the environment itself. */
function createExporter({ otelTracesProtocol, otelProtocol }: TracingConfig): SpanExporter {
  return (otelTracesProtocol ?? otelProtocol) === 'http/json' ? new JsonExporter() : new ProtobufExporter();
}

/** The exporter would continue without it, and the log would not say why the collector is not trusted. */
async function checkCertificate(path: string | undefined): Promise<void> {
  if (path === undefined) {
    return;
  }
  try {
    await access(path, constants.R_OK);
  } catch (cause) {
    throw new ConfigError([{ name: 'OTEL_EXPORTER_OTLP_CERTIFICATE', problem: `${path} cannot be read` }], { cause });
  }
}

/** The environment overrides our values. */
function toResource({ serviceName, version }: TracingOptions): Resource {
  const own = { 'service.name': serviceName, 'service.version': version, 'service.instance.id': randomUUID() };
  return defaultResource()
    .merge(resourceFromAttributes(own))
    .merge(detectResources({ detectors: [envDetector] }));
}

function toSampler({ otelSampler, otelSamplerRatio }: TracingConfig): Sampler {
  switch (otelSampler) {
    case 'always_on':
      return new AlwaysOnSampler();
    case 'always_off':
      return new AlwaysOffSampler();
    case 'traceidratio':
      return new TraceIdRatioBasedSampler(otelSamplerRatio);
    case 'parentbased_always_on':
      return new ParentBasedSampler({ root: new AlwaysOnSampler() });
    case 'parentbased_always_off':
      return new ParentBasedSampler({ root: new AlwaysOffSampler() });
    case 'parentbased_traceidratio':
      return new ParentBasedSampler({ root: new TraceIdRatioBasedSampler(otelSamplerRatio) });
  }
}
