import { type RecordedRequest, RecordingServer } from './recording-server.ts';

const kinds = ['unspecified', 'internal', 'server', 'client', 'producer', 'consumer'] as const;

/** A span as a collector receives it. */
export interface CollectedSpan {
  /** `service.name` of the process that sent it. */
  readonly service: string;
  readonly name: string;
  readonly kind: (typeof kinds)[number];
  readonly traceId: string;
  readonly spanId: string;
  /** Undefined for the first span of a trace. */
  readonly parentSpanId: string | undefined;
  readonly attributes: Readonly<Record<string, string | number | boolean>>;
  readonly failed: boolean;
  readonly startMs: number;
  readonly endMs: number;
}

/** An OTLP collector that takes traces as JSON (OTLP/HTTP 1.x) and keeps them. */
export class TraceCollector extends RecordingServer {
  constructor() {
    super({ handler: (_, response) => void response.writeHead(200, { 'Content-Type': 'application/json' }).end('{}') });
  }

  /** Everything that came as JSON so far. */
  get spans(): CollectedSpan[] {
    return this.requests.filter(isJson).flatMap(readSpans);
  }

  /** Everything that came, in any format. */
  get text(): string {
    return this.requests.map(({ body, rawHeaders }) => `${rawHeaders.join(' ')} ${body.toString('latin1')}`).join('\n');
  }
}

export async function startTraceCollector(): Promise<TraceCollector> {
  const collector = new TraceCollector();
  await collector.listen();
  return collector;
}

/** The parts of an `ExportTraceServiceRequest` that are read (opentelemetry-proto, JSON mapping). */
interface ExportRequest {
  readonly resourceSpans: readonly {
    readonly resource: { readonly attributes: readonly OtlpAttribute[] };
    readonly scopeSpans: readonly { readonly spans: readonly OtlpSpan[] }[];
  }[];
}

interface OtlpAttribute {
  readonly key: string;
  readonly value: {
    readonly stringValue?: string;
    readonly boolValue?: boolean;
    readonly intValue?: number | string;
    readonly doubleValue?: number;
  };
}

interface OtlpSpan {
  readonly name: string;
  readonly kind: number;
  readonly traceId: string;
  readonly spanId: string;
  readonly parentSpanId?: string;
  readonly attributes: readonly OtlpAttribute[];
  readonly status: { readonly code?: number };
  readonly startTimeUnixNano: string;
  readonly endTimeUnixNano: string;
}

const errorStatus = 2;

function isJson({ headers }: RecordedRequest): boolean {
  return headers['content-type'] === 'application/json';
}

function readSpans({ body }: RecordedRequest): CollectedSpan[] {
  const { resourceSpans } = JSON.parse(body.toString()) as ExportRequest;
  return resourceSpans.flatMap(({ resource, scopeSpans }) => {
    const service = String(toRecord(resource.attributes)['service.name']);
    return scopeSpans.flatMap(({ spans }) => spans.map((span) => toCollected(service, span)));
  });
}

function toCollected(service: string, span: OtlpSpan): CollectedSpan {
  return {
    service,
    name: span.name,
    kind: kinds[span.kind] ?? 'unspecified',
    traceId: span.traceId,
    spanId: span.spanId,
    parentSpanId: span.parentSpanId || undefined,
    attributes: toRecord(span.attributes),
    failed: span.status.code === errorStatus,
    startMs: Number(span.startTimeUnixNano) / 1e6,
    endMs: Number(span.endTimeUnixNano) / 1e6,
  };
}

function toRecord(attributes: readonly OtlpAttribute[]): Record<string, string | number | boolean> {
  return Object.fromEntries(attributes.map(({ key, value }) => [key, toValue(value)]));
}

function toValue({ stringValue, boolValue, intValue, doubleValue }: OtlpAttribute['value']): string | number | boolean {
  return stringValue ?? boolValue ?? Number(intValue ?? doubleValue);
}
