import { readdir, readFile } from 'node:fs/promises';
import { createServer, type Socket } from 'node:net';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { ApiClient, type Env } from '@asyncfn/stack';
import {
  type CollectedSpan,
  eventually,
  startCallbackReceiver,
  startTestFunction,
  startTraceCollector,
  status,
  type TraceCollector,
} from '@asyncfn/testkit';
import { expect, test } from 'vitest';
import { startStack } from './harness/stack.ts';

const caller = { traceId: '4bf92f3577b34da6a3ce929d0e0e4736', spanId: '00f067aa0ba902b7' };
const traceparent = `00-${caller.traceId}-${caller.spanId}-01`;
const tracestate = 'vendor=opaque';

const retry = { attempts: 2, minWait: '10ms', maxWait: '10ms' };

function tracingTo(url: string): Env {
  return {
    OTEL_EXPORTER_OTLP_ENDPOINT: url,
    OTEL_EXPORTER_OTLP_PROTOCOL: 'http/json',
    OTEL_BSP_SCHEDULE_DELAY: '20',
  };
}

function untilCollected(collector: TraceCollector, count: number): Promise<readonly CollectedSpan[]> {
  return eventually(() => (collector.spans.length >= count ? collector.spans : undefined), {
    message: `${count} spans do not come`,
  });
}

/** In the order of time, which is also that of cause and effect here. */
function named(spans: readonly CollectedSpan[], name: string): CollectedSpan[] {
  return spans.filter((span) => span.name === name).sort((a, b) => a.startMs - b.startMs);
}

function spanOf(header: string | string[] | undefined): string | undefined {
  return String(header).split('-')[2];
}

test('a call with a retry of its function and one of its callback is one trace, from the caller to the receiver', async () => {
  await using collector = await startTraceCollector();
  await using fn = await startTestFunction({ handler: status(500, { times: 1 }) });
  await using inbox = await startCallbackReceiver({ respond: status(503, { times: 1 }) });
  await using stack = await startStack({
    functions: { resize: { url: `${fn.url}/base`, retry } },
    env: tracingTo(collector.url),
    workerEnv: { CALLBACK_PORTS: '1-65535', CALLBACK_RETRY_SCHEDULE: '10ms,10ms' },
  });
  await using client = new ApiClient(stack.gateway.url);
  const callId = await client.accept('resize', {
    body: 'picture',
    headers: { traceparent, tracestate },
    callbackUrl: `${inbox.url}/hook`,
  });
  await inbox.waitForCallbacks(2);
  const spans = await untilCollected(collector, 10);

  expect(new Set(spans.map(({ traceId }) => traceId))).toEqual(new Set([caller.traceId]));
  expect(new Set(spans.map(({ spanId }) => spanId)).size).toBe(10);
  const [accept] = named(spans, 'POST /async-function/:name');
  const [publish] = named(spans, 'publish default');
  const waits = named(spans, 'wait default');
  const processings = named(spans, 'process default');
  const requests = named(spans, 'POST resize');
  const callbacks = named(spans, 'POST callback');
  expect(accept).toMatchObject({
    service: 'asyncfn-gateway',
    kind: 'server',
    parentSpanId: caller.spanId,
    failed: false,
    attributes: { 'http.route': '/async-function/:name', 'http.response.status_code': 202, 'asyncfn.call.id': callId },
  });
  expect(publish).toMatchObject({
    service: 'asyncfn-gateway',
    kind: 'producer',
    parentSpanId: accept!.spanId,
    failed: false,
    attributes: {
      'messaging.system': 'nats',
      'messaging.operation.type': 'send',
      'messaging.destination.name': 'default',
      'messaging.message.id': callId,
      'messaging.message.body.size': 7,
    },
  });
  const below = { service: 'asyncfn-worker', parentSpanId: publish!.spanId };
  expect(waits).toMatchObject([
    { ...below, kind: 'internal' },
    { ...below, kind: 'internal' },
  ]);
  const processing = {
    'messaging.system': 'nats',
    'messaging.operation.type': 'process',
    'messaging.message.id': callId,
  };
  expect(processings).toMatchObject([
    {
      ...below,
      kind: 'consumer',
      failed: true,
      attributes: { ...processing, 'asyncfn.attempt': 1, 'asyncfn.verdict': 'retry', 'error.type': 'status' },
    },
    {
      ...below,
      kind: 'consumer',
      failed: false,
      attributes: { ...processing, 'asyncfn.attempt': 2, 'asyncfn.verdict': 'succeeded' },
    },
  ]);
  expect(requests).toMatchObject([
    {
      kind: 'client',
      parentSpanId: processings[0]!.spanId,
      failed: true,
      attributes: { 'http.response.status_code': 500, 'url.full': `${fn.url}/base` },
    },
    {
      kind: 'client',
      parentSpanId: processings[1]!.spanId,
      failed: false,
      attributes: { 'http.response.status_code': 200, 'http.request.resend_count': 1 },
    },
  ]);
  expect(callbacks).toMatchObject([
    { ...below, kind: 'client', failed: true, attributes: { 'http.response.status_code': 503, 'asyncfn.attempt': 1 } },
    { ...below, kind: 'client', failed: false, attributes: { 'http.response.status_code': 200, 'asyncfn.attempt': 2 } },
  ]);
  // Each receiver of a request gets the span that sends it, and the rest of the caller's context as it came.
  expect(fn.requests.map(({ headers }) => spanOf(headers['traceparent']))).toEqual(
    requests.map(({ spanId }) => spanId),
  );
  expect(inbox.requests.map(({ headers }) => spanOf(headers['traceparent']))).toEqual(
    callbacks.map(({ spanId }) => spanId),
  );
  expect([...fn.requests, ...inbox.requests].map(({ headers }) => headers['tracestate'])).toEqual(
    Array(4).fill(tracestate),
  );
});

test('a call that comes without a trace begins one, which its retries and its callback keep', async () => {
  await using collector = await startTraceCollector();
  await using fn = await startTestFunction({ handler: status(500, { times: 1 }) });
  await using inbox = await startCallbackReceiver();
  // Once with a gateway that begins it, and once with a worker that must.
  for (const [gatewayEnv, count] of [
    [{}, 9],
    [{ OTEL_SDK_DISABLED: 'true' }, 7],
  ] as const) {
    const before = collector.spans.length;
    await using stack = await startStack({
      functions: { resize: { url: fn.url, retry } },
      env: tracingTo(collector.url),
      gatewayEnv,
      workerEnv: { CALLBACK_PORTS: '1-65535' },
    });
    await using client = new ApiClient(stack.gateway.url);
    await client.accept('resize', { headers: { tracestate }, callbackUrl: `${inbox.url}/hook` });
    const spans = (await untilCollected(collector, before + count)).slice(before);
    const connected = spans.filter(({ traceId }) => traceId === named(spans, 'POST callback')[0]!.traceId);
    expect(connected.length).toBe(count);
    expect(connected.filter(({ parentSpanId }) => parentSpanId === undefined)).toHaveLength(1);
  }
  // The state of a trace that has ended.
  expect(fn.requests.map(({ headers }) => headers['tracestate'])).toEqual(Array(4).fill(undefined));
});

test('a trace that its caller does not record is not recorded here, and goes on as it is', async () => {
  await using collector = await startTraceCollector();
  await using fn = await startTestFunction();
  await using stack = await startStack({ functions: { echo: fn.url }, env: tracingTo(collector.url) });
  await using client = new ApiClient(stack.gateway.url);
  await client.accept('echo', { headers: { traceparent: traceparent.replace(/1$/, '0') } });
  await client.accept('echo', { headers: { traceparent } });
  await stack.untilSettled();
  const spans = await untilCollected(collector, 5);
  expect(fn.requests).toHaveLength(2);
  expect(fn.requests.map(({ headers }) => String(headers['traceparent']).slice(0, 35))).toEqual(
    Array(2).fill(`00-${caller.traceId}`),
  );
  expect(fn.requests.map(({ headers }) => String(headers['traceparent']).slice(-2)).sort()).toEqual(['00', '01']);
  await Promise.all([stack.gateway.stop(), stack.worker.stop()]);
  expect(collector.spans).toHaveLength(spans.length);
});

/** A module that makes a process list the modules that it loads after it. */
const hooks = `import { writeSync } from 'node:fs';
export function load(url, context, next) { writeSync(2, url + '\\n'); return next(url, context); }`;
const register = `import { register } from 'node:module'; register(${JSON.stringify(toDataUrl(hooks))});`;
const listLoaded = toDataUrl(register);

function toDataUrl(source: string): string {
  return `data:text/javascript,${encodeURIComponent(source)}`;
}

/** Files of a bundle that hold the SDK of OpenTelemetry. */
async function filesWithSdk(folder: string): Promise<string[]> {
  const files = (await readdir(folder)).filter((file) => file.endsWith('.js')).map((file) => join(folder, file));
  const texts = await Promise.all(files.map((file) => readFile(file, 'utf8')));
  return files.filter((_, index) => texts[index]?.includes('BatchSpanProcessorBase = class'));
}

test('without a setting no SDK is loaded, and the context of the caller is passed on unchanged', async () => {
  await using fn = await startTestFunction();
  await using inbox = await startCallbackReceiver();
  await using stack = await startStack({
    functions: { echo: fn.url },
    env: { NODE_OPTIONS: `--import=${listLoaded}` },
    workerEnv: { CALLBACK_PORTS: '1-65535' },
  });
  await using client = new ApiClient(stack.gateway.url);
  await client.accept('echo', { headers: { traceparent, tracestate }, callbackUrl: `${inbox.url}/hook` });
  await inbox.waitForCallbacks(1);
  for (const { headers } of [...fn.requests, ...inbox.requests]) {
    expect(headers).toMatchObject({ traceparent, tracestate });
  }
  for (const app of [stack.gateway, stack.worker]) {
    await app.stop();
    const loaded = app.stderr.filter((line) => line.startsWith('file:')).map((url) => fileURLToPath(url));
    const holders = await filesWithSdk(dirname(loaded[0]!));
    expect(holders).toHaveLength(1);
    expect(loaded.length).toBeGreaterThan(2);
    expect(loaded).not.toContain(holders[0]);
  }
});

test('a collector that is away, or never answers, delays neither the work nor the end of a process', async () => {
  const sockets: Socket[] = [];
  const silent = createServer((socket) => void sockets.push(socket.on('error', () => undefined))).listen(
    0,
    '127.0.0.1',
  );
  await using fn = await startTestFunction();
  const { port } = silent.address() as { port: number };
  for (const url of [`http://127.0.0.1:${port}`, 'http://127.0.0.1:9']) {
    await using stack = await startStack({
      functions: { echo: fn.url },
      env: {
        ...tracingTo(url),
        OTEL_BSP_MAX_QUEUE_SIZE: '20',
        OTEL_BSP_MAX_EXPORT_BATCH_SIZE: '10',
        OTEL_EXPORTER_OTLP_TIMEOUT: '1000',
      },
    });
    await using client = new ApiClient(stack.gateway.url);
    await client.acceptMany('echo', 100);
    await stack.untilSettled();
    const line = await stack.worker.untilLogged('traces cannot be exported and are lost');
    expect(line.level).toBe('warn');
    const startedAt = performance.now();
    expect(await Promise.all([stack.gateway.stop(), stack.worker.stop()])).toMatchObject([{ code: 0 }, { code: 0 }]);
    expect(performance.now() - startedAt).toBeLessThan(60_000);
  }
  expect(fn.requests).toHaveLength(200);
  for (const socket of sockets) {
    socket.destroy();
  }
  silent.close();
});

test('traces go out as protobuf unless told otherwise, under the names that the environment gives', async () => {
  await using collector = await startTraceCollector();
  await using fn = await startTestFunction();
  await using stack = await startStack({
    functions: { echo: fn.url },
    env: {
      OTEL_TRACES_EXPORTER: 'otlp',
      OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: `${collector.url}/own/path`,
      OTEL_EXPORTER_OTLP_HEADERS: 'x-api-key=k1',
      OTEL_SERVICE_NAME: 'orders',
      OTEL_RESOURCE_ATTRIBUTES: 'deployment.environment.name=staging',
    },
  });
  await using client = new ApiClient(stack.gateway.url);
  await client.accept('echo');
  await stack.untilSettled();
  // The stop exports the remaining spans.
  await Promise.all([stack.gateway.stop(), stack.worker.stop()]);
  expect(collector.requests.map(({ url }) => url)).toEqual(['/own/path', '/own/path']);
  expect(collector.requests[0]!.headers).toMatchObject({ 'content-type': 'application/x-protobuf', 'x-api-key': 'k1' });
  for (const word of ['publish default', 'process default', 'orders', 'staging']) {
    expect(collector.text).toContain(word);
  }
});

test('an invalid setting of traces is named, and the process does not start', async () => {
  await using stack = await startStack({ functions: {}, gateways: 0, workers: 0 });
  const worker = await stack.spawn('worker', {
    OTEL_TRACES_EXPORTER: 'zipkin',
    OTEL_EXPORTER_OTLP_PROTOCOL: 'grpc',
    OTEL_TRACES_SAMPLER: 'sometimes',
    OTEL_TRACES_SAMPLER_ARG: '2',
  });
  expect(await worker.ended()).toMatchObject({ code: 78 });
  expect(worker.stderr).toEqual([
    'OTEL_TRACES_EXPORTER: "zipkin" is not one of otlp, none; for example otlp',
    'OTEL_EXPORTER_OTLP_PROTOCOL: "grpc" is not one of http/protobuf, http/json; for example http/protobuf',
    expect.stringContaining('OTEL_TRACES_SAMPLER: "sometimes" is not one of always_on'),
    'OTEL_TRACES_SAMPLER_ARG: "2" is not a number between 0 and 1; for example 1',
  ]);
  const other = await stack.spawn('worker', { OTEL_TRACES_EXPORTER: 'otlp', OTEL_EXPORTER_OTLP_CERTIFICATE: '/no/ca' });
  expect(await other.ended()).toMatchObject({ code: 78 });
  expect(other.stderr).toEqual(['OTEL_EXPORTER_OTLP_CERTIFICATE: /no/ca cannot be read']);
});
