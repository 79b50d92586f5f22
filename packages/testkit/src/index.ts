export { allOf } from './all-of.ts';
export { type EventuallyOptions, eventually } from './eventually.ts';
export { freePort } from './free-port.ts';
export {
  echo,
  type Gate,
  gate,
  hash,
  jainIndex,
  Occupancy,
  type StatusOptions,
  sleep,
  startTestFunction,
  status,
  type TestFunction,
} from './functions/index.ts';
export { quickest } from './quickest.ts';
export { createRandom, integerBelow, pickFrom, type Random } from './random.ts';
export { runPnpm } from './run-pnpm.ts';
export {
  byteByByte,
  type CallbackReceiver,
  type CallbackReceiverOptions,
  type CollectedSpan,
  type DnsAnswer,
  type DnsQuestion,
  type DnsServer,
  type Openfaas,
  type OpenfaasFunction,
  type OpenfaasOptions,
  type RawAnswer,
  type RawConnection,
  type RawRequest,
  RawServer,
  type RecordedRequest,
  type RecordingServerOptions,
  type RequestHandler,
  startCallbackReceiver,
  startDnsServer,
  startOpenfaas,
  startRawServer,
  startTcpProxy,
  startTraceCollector,
  type TcpProxy,
  type TcpTarget,
  type TraceCollector,
  thenClose,
} from './servers/index.ts';
export { SlowClients, type SlowRequest } from './slow-clients.ts';
export { noteSpawned, type Spawned } from './spawned.ts';
export { readTestCertificates, type TestCertificates } from './test-certificates.ts';
