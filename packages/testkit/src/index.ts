export { type CallbackReceiver, type CallbackReceiverOptions, startCallbackReceiver } from './callback-receiver.ts';
export { type DnsAnswer, type DnsQuestion, type DnsServer, startDnsServer } from './dns-server.ts';
export { type EventuallyOptions, eventually } from './eventually.ts';
export { freePort } from './free-port.ts';
export { echo, type Gate, gate, hash, type StatusOptions, sleep, status } from './function-behaviours.ts';
export { jainIndex, Occupancy } from './occupancy.ts';
export { createRandom, integerBelow, pickFrom, type Random } from './random.ts';
export {
  byteByByte,
  type RawAnswer,
  type RawConnection,
  type RawRequest,
  RawServer,
  startRawServer,
  thenClose,
} from './raw-server.ts';
export type { RecordedRequest, RecordingServerOptions, RequestHandler } from './recording-server.ts';
export { SlowClients, type SlowRequest } from './slow-clients.ts';
export { startTcpProxy, type TcpProxy, type TcpTarget } from './tcp-proxy.ts';
export { readTestCertificates, type TestCertificates } from './test-certificates.ts';
export { startTestFunction, type TestFunction } from './test-function.ts';
export { type CollectedSpan, startTraceCollector, type TraceCollector } from './trace-collector.ts';
