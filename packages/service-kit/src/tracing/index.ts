// Traces: switched on by the standard variables of OpenTelemetry.

export { contextFrom, hasContext, traceIdFrom, withContext } from './carried-context.ts';
export { startTracing, type Tracing } from './tracing.ts';
export { tracingConfig } from './tracing-config.ts';
