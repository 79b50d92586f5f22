// Servers that record what reaches them, and proxies that get in the way.

export { CallbackReceiver, type CallbackReceiverOptions, startCallbackReceiver } from './callback-receiver.ts';
export { type DnsAnswer, type DnsQuestion, DnsServer, startDnsServer } from './dns-server.ts';
export { type Openfaas, type OpenfaasFunction, type OpenfaasOptions, startOpenfaas } from './openfaas.ts';
export {
  byteByByte,
  type RawAnswer,
  type RawConnection,
  type RawRequest,
  RawServer,
  startRawServer,
  thenClose,
} from './raw-server.ts';
export {
  type RecordedRequest,
  RecordingServer,
  type RecordingServerOptions,
  type RequestHandler,
} from './recording-server.ts';
export { startTcpProxy, type TcpProxy, type TcpTarget } from './tcp-proxy.ts';
export { type CollectedSpan, startTraceCollector, TraceCollector } from './trace-collector.ts';
