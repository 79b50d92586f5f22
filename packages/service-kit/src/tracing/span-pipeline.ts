import type { Tracer } from '@opentelemetry/api';
import type { ConfigOf } from '../config/index.ts';
import type { Logger } from '../logging/index.ts';
import type { tracingConfig } from './tracing-config.ts';

export type TracingConfig = ConfigOf<typeof tracingConfig>;

export interface TracingOptions {
  /** Name of the process, unless `OTEL_SERVICE_NAME` gives it another. */
  readonly serviceName: string;
  readonly version: string;
  readonly logger: Logger;
}

/** Sends spans to their collector. */
export interface SpanPipeline {
  readonly tracer: Tracer;
  shutdown(): Promise<void>;
}
