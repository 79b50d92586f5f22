import { isSpanContextValid, ROOT_CONTEXT, type Tracer, trace } from '@opentelemetry/api';
import type { Logger } from '../logging/index.ts';
import { sleep } from '../timing.ts';
import type { SpanPipeline, TracingConfig, TracingOptions } from './span-pipeline.ts';

/** The traces of a process. */
export interface Tracing {
  /** Undefined if tracing is off: then traces cost nothing. */
  readonly tracer: Tracer | undefined;
  /** Exports the remaining spans, for at most `stopMs`. Never rejects: a stop does not depend on a collector. */
  stop(): Promise<void>;
}

/** For the last export. */
const stopMs = 2_000;

/**
 * Switches traces on if the configuration asks for them; only then is the OpenTelemetry SDK loaded. A process that was
 * started with an SDK of its own (`node --import`) has its spans sent through that one.
 *
 * @throws ConfigError when a file that the configuration names cannot be read
 */
export async function startTracing(config: TracingConfig, options: TracingOptions): Promise<Tracing> {
  const { serviceName, version, logger } = options;
  const tracer = registeredTracer(serviceName, version);
  if (tracer !== undefined || !isWanted(config)) {
    return { tracer, stop: () => Promise.resolve() };
  }
  const { startPipeline } = await import('./otlp-pipeline.ts');
  const pipeline = await startPipeline(config, options);
  return { tracer: pipeline.tracer, stop: () => stopInTime(pipeline, logger) };
}

/**
 * Standard variables, but for one: without an endpoint the specification's default would send traces to this machine.
 */
export function isWanted({ otelSdkDisabled, otelTracesExporter, ...endpoints }: TracingConfig): boolean {
  const hasEndpoint = (endpoints.otelEndpoint ?? endpoints.otelTracesEndpoint) !== undefined;
  return !otelSdkDisabled && (otelTracesExporter ?? (hasEndpoint ? 'otlp' : 'none')) === 'otlp';
}

/**
 * The API does not reveal whether an SDK is behind it, but only a real span has an id. This one is never ended or
 * exported.
 */
function registeredTracer(name: string, version: string): Tracer | undefined {
  const tracer = trace.getTracer(name, version);
  const probe = tracer.startSpan('probe', { root: true }, ROOT_CONTEXT);
  return isSpanContextValid(probe.spanContext()) ? tracer : undefined;
}

async function stopInTime(pipeline: SpanPipeline, logger: Logger): Promise<void> {
  const done = new AbortController();
  const timeUp = sleep(stopMs, done.signal).then((whole) => (whole ? 'time up' : 'done'));
  const ended = pipeline.shutdown().then(
    () => 'done',
    () => 'failed',
  );
  const outcome = await Promise.race([ended, timeUp]);
  done.abort();
  if (outcome !== 'done') {
    logger.warn({ outcome }, 'last traces could not be exported');
  }
}
