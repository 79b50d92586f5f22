import type { IncomingMessage } from 'node:http';
import type { FunctionConfig, FunctionRegister } from '@asyncfn/queue-core/functions';
import type { Rate } from '@asyncfn/tokens';
import type { FastifyPluginCallback, FastifyReply, FastifyRequest } from 'fastify';
import { type AcceptedCall, toQueueRefusal } from '../enqueue/index.ts';
import {
  type BodyResult,
  checkDeclaredLength,
  checkExpectation,
  expectsContinue,
  type IncomingBody,
  isWebhook,
  parseWebhookTarget,
  type Target,
  webhookPattern,
} from '../http/index.ts';
import { type Refusal, refusal, toRefusal } from '../problem.ts';
import { DeliveryIntake, type DeliveryIntakeOptions } from './delivery-intake.ts';
import { type EqualTreatment, hasSignature, treatEqually } from './equal-treatment.ts';
import { AddressRates, PartnerRoom, senderOf } from './limits/index.ts';
import { answerSubscription } from './subscription.ts';
import { type VerifiedDelivery, type VerifyOptions, verifyDelivery } from './verified-delivery.ts';
import { receiveSchema, subscribeSchema } from './webhook-schemas.ts';

export interface WebhookOptions extends DeliveryIntakeOptions, VerifyOptions {
  readonly register: Pick<FunctionRegister, 'list' | 'onChange'>;
  readonly maxBodyBytes: number;
  /** Requests of one public address. */
  readonly ratePerAddress: Rate;
}

/** What a request to `/webhook/` is for. */
interface Addressee {
  /** Undefined for a target that no function can have. */
  readonly target: Target | undefined;
  readonly function: FunctionConfig | undefined;
}

/** `/webhook/NAME`: partners, who have no token and sign what they send. */
export const webhookRoutes: FastifyPluginCallback<WebhookOptions> = (app, options, done) => {
  const { register, maxBodyBytes, ratePerAddress } = options;
  const intake = new DeliveryIntake(options);
  const rates = new AddressRates(app, ratePerAddress);
  const room = new PartnerRoom(app.bodyBudget);
  let treatment: EqualTreatment | undefined;
  register.onChange(() => {
    treatment = undefined;
  });
  const equal = (): EqualTreatment => (treatment ??= treatEqually(register.list(), maxBodyBytes));
  app.addHook('onRequest', async (request, reply) => {
    if (!isWebhook({ url: request.originalUrl })) {
      return reply.refuse(noSuchPath);
    }
    const seconds = await rates.excess(senderOf(request.raw.socket.remoteAddress));
    return seconds === undefined ? undefined : refuse(options, reply, tooManyRequests(seconds));
  });
  const route = {
    config: { scope: 'open' },
    // The schema only describes: what is sent is verified before anything in it is looked at.
    validatorCompiler: () => () => true,
  } as const;
  app.post(
    webhookPattern,
    {
      ...route,
      schema: receiveSchema,
      // Instead of a handler, because the body is not fastify's to read.
      onRequest: (request, reply) => {
        receive({ ...options, intake, room, equal: equal() }, request, reply).catch((error: unknown) =>
          refuse(options, reply, toRefusal(error)),
        );
      },
    },
    () => undefined,
  );
  app.get(webhookPattern, { ...route, schema: subscribeSchema }, (request, reply) =>
    subscribe(options, request, reply),
  );
  done();
};

interface ReceiveOptions extends WebhookOptions {
  readonly intake: DeliveryIntake;
  readonly room: PartnerRoom;
  readonly equal: EqualTreatment;
}

async function receive(options: ReceiveOptions, request: FastifyRequest, reply: FastifyReply): Promise<void> {
  const { raw } = request;
  const { room, equal } = options;
  const addressee = addresseeOf(options, request);
  const unexpected = checkExpectation(raw);
  if (unexpected !== undefined) {
    refuse(options, reply, unexpected);
    return;
  }
  if (!hasSignature(raw.rawHeaders, equal)) {
    refuse(options, reply, { ...invalidSignature, reason: 'no signature' });
    return;
  }
  const { block } = senderOf(raw.socket.remoteAddress);
  const body = checkDeclaredLength(raw, equal.maxBytes) ?? (await room.admit(raw, block));
  if (body.kind === 'refused') {
    refuse(options, reply, unverified(body));
    return;
  }
  try {
    if (expectsContinue(raw)) {
      reply.raw.writeContinue();
    }
    const read = await readBody(raw, body, equal.maxBytes);
    if (read.kind === 'refused') {
      refuse(options, reply, unverified(read));
    } else {
      await take(options, { ...addressee, rawHeaders: raw.rawHeaders, body: read.bytes }, request, reply);
    }
  } finally {
    // Not earlier, even if the client is gone, because the body is still in memory.
    body.release();
  }
}

async function take(
  options: ReceiveOptions,
  delivery: Addressee & { readonly rawHeaders: readonly string[]; readonly body: Buffer },
  request: FastifyRequest,
  reply: FastifyReply,
): Promise<void> {
  const verified = verifyDelivery(delivery, options.equal, options);
  if (verified.kind === 'not verified') {
    refuse(options, reply, { ...invalidSignature, reason: verified.reason });
  } else if (verified.challenge !== undefined) {
    sendText(reply, verified.challenge);
  } else {
    await accept(options, verified, request, reply);
  }
}

async function accept(
  { intake, spans, ...options }: ReceiveOptions,
  delivery: VerifiedDelivery,
  request: FastifyRequest,
  reply: FastifyReply,
): Promise<void> {
  // A new trace: that of a stranger would decide what is sampled.
  const span = spans?.startAccept({ route: webhookPattern, traceparent: undefined });
  const { rawHeaders, socket } = request.raw;
  const elapsedMs = (): number => reply.elapsedTime;
  const accepted = await intake
    .accept(delivery, { rawHeaders, peer: socket.remoteAddress, span, elapsedMs })
    .catch((error: unknown) => toRefusal(error));
  if (accepted.kind === 'refused') {
    refuse(options, reply, accepted);
  } else {
    answer(reply, delivery, accepted);
  }
  if (span !== undefined) {
    spans?.endAccept(span, reply.raw.destroyed ? undefined : reply.statusCode);
  }
}

function answer(reply: FastifyReply, { webhook }: VerifiedDelivery, { callId, replayed }: AcceptedCall): void {
  const { status, body } = webhook.answer;
  reply.code(status).header('X-Call-Id', callId);
  if (replayed) {
    reply.header('Idempotency-Replayed', 'true');
  }
  if (body === '') {
    reply.send();
  } else {
    reply.type(isJson(body) ? 'application/json; charset=utf-8' : 'text/plain; charset=utf-8').send(Buffer.from(body));
  }
}

function subscribe(options: WebhookOptions, request: FastifyRequest, reply: FastifyReply): FastifyReply {
  const { target, function: config } = addresseeOf(options, request);
  const challenge = answerSubscription(target?.query ?? '', config?.webhook?.verifyToken);
  return challenge === undefined
    ? refuse(options, reply, { ...invalidSignature, reason: 'no subscription with the verifyToken of the function' })
    : sendText(reply, challenge);
}

/** What a sender chose is sent back, so no browser may take it for a page. */
function sendText(reply: FastifyReply, text: string): FastifyReply {
  return reply.type('text/plain; charset=utf-8').header('X-Content-Type-Options', 'nosniff').send(Buffer.from(text));
}

function addresseeOf({ lookup }: WebhookOptions, request: FastifyRequest): Addressee {
  const parsed = parseWebhookTarget(request.originalUrl);
  const target = parsed.kind === 'target' ? parsed : undefined;
  const config = target && lookup(target.name);
  request.functionName = config?.name ?? null;
  return { target, function: config };
}

function readBody(raw: IncomingMessage, body: IncomingBody, maxBytes: number): Promise<BodyResult> {
  return new Promise((resolve) => body.read(raw, maxBytes, resolve));
}

function refuse({ metrics }: Pick<WebhookOptions, 'metrics'>, reply: FastifyReply, refused: Refusal): FastifyReply {
  metrics.callRefused(refused.code);
  return reply.refuse(refused);
}

/** Before a delivery is verified, nothing but the room at the gateway makes a difference. */
function unverified(refused: Refusal): Refusal {
  if (refused.code === 'request_timeout') {
    return toQueueRefusal('overloaded'); // too slow, while others needed its room
  }
  const isOurs = refused.code === 'overloaded' || refused.code === 'client_disconnected';
  return isOurs ? refused : { ...invalidSignature, reason: refused.code };
}

function isJson(text: string): boolean {
  try {
    return typeof JSON.parse(text) === 'object';
  } catch {
    return false;
  }
}

function tooManyRequests(seconds: number): Refusal {
  return refusal('rate_limited', 'The address has used up its rate limit.', { 'Retry-After': String(seconds) });
}

/** RFC 9110, 15.5.2, wants a challenge with every 401. */
const invalidSignature = refusal(
  'invalid_signature',
  'The request is not signed as this address requires, or nothing here takes webhooks.',
  { 'WWW-Authenticate': 'Signature realm="asyncfn webhooks"' },
);

/** Requests with an escaped path, which is another path. */
const noSuchPath = refusal('not_found', 'Nothing exists at this path.');
