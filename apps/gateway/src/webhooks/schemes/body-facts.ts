import type { WebhookConfig } from '@asyncfn/queue-core/functions';

/** What the verified body of a delivery says about the delivery itself. */
export interface BodyFacts {
  /** The sender's id of the delivery. */
  readonly id: string | undefined;
  /** The text that Slack wants back when an address is entered; undefined for a real delivery. */
  readonly challenge: string | undefined;
}

const nothing: BodyFacts = { id: undefined, challenge: undefined };

/** The fields with the ids of Stripe's and Slack's events. Other schemes have them in a header. */
const idFields: ReadonlyMap<WebhookConfig['verify'], string> = new Map([
  ['stripe', 'id'],
  ['slack', 'event_id'],
]);

const maxChallenge = 1024;

/** Reads a body whose signature is verified. */
export function readBodyFacts(verify: WebhookConfig['verify'], body: Buffer): BodyFacts {
  const idField = idFields.get(verify);
  const fields = idField === undefined ? undefined : parseObject(body);
  if (idField === undefined || fields === undefined) {
    return nothing;
  }
  const id = fields.get(idField);
  const challenge = fields.get('challenge');
  const isChallenge =
    verify === 'slack' &&
    fields.get('type') === 'url_verification' &&
    typeof challenge === 'string' &&
    challenge.length <= maxChallenge;
  return {
    id: typeof id === 'string' && id !== '' ? id : undefined,
    challenge: isChallenge ? challenge : undefined,
  };
}

/** Undefined for anything but a JSON object: Slack also sends forms. */
function parseObject(body: Buffer): ReadonlyMap<string, unknown> | undefined {
  try {
    const parsed: unknown = JSON.parse(body.toString('utf8'));
    return typeof parsed === 'object' && parsed !== null ? new Map(Object.entries(parsed)) : undefined;
  } catch {
    return undefined;
  }
}
