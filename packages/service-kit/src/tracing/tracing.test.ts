import { expect, test } from 'vitest';
import { ConfigError, parseConfig } from '../config/config.ts';
import { isWanted } from './tracing.ts';
import { tracingConfig } from './tracing-config.ts';

const wanted = (env: Record<string, string>) => isWanted(parseConfig(tracingConfig, env));

test.for([
  [{}, false],
  [{ OTEL_SERVICE_NAME: 'orders' }, false],
  [{ OTEL_TRACES_EXPORTER: 'otlp' }, true],
  [{ OTEL_EXPORTER_OTLP_ENDPOINT: 'http://collector:4318' }, true],
  [{ OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: 'http://collector:4318/v1/traces' }, true],
  [{ OTEL_EXPORTER_OTLP_ENDPOINT: 'http://collector:4318', OTEL_TRACES_EXPORTER: 'none' }, false],
  [{ OTEL_EXPORTER_OTLP_ENDPOINT: 'http://collector:4318', OTEL_SDK_DISABLED: 'true' }, false],
] as const)('with %j traces are wanted: %s', ([env, answer]) => {
  expect(wanted(env)).toBe(answer);
});

test.for(['1.5', '-1', '0,5', '', 'half', '1e-3', '.'])('a share of traces that is %j is refused', (ratio) => {
  if (ratio === '') {
    expect(parseConfig(tracingConfig, { OTEL_TRACES_SAMPLER_ARG: ratio }).otelSamplerRatio).toBe(1);
  } else {
    expect(() => parseConfig(tracingConfig, { OTEL_TRACES_SAMPLER_ARG: ratio })).toThrow(ConfigError);
  }
});

test.for([
  ['0', 0],
  ['1', 1],
  ['1.0', 1],
  ['0.05', 0.05],
  ['.5', 0.5],
] as const)('%s is a share of traces', ([text, share]) => {
  expect(parseConfig(tracingConfig, { OTEL_TRACES_SAMPLER_ARG: text }).otelSamplerRatio).toBe(share);
});
