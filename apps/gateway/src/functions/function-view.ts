import { defaultQueue, type FunctionSettings, isPaused, type KnownFunction } from '@asyncfn/queue-core/functions';
import { displayUrl } from '@asyncfn/service-kit';

/** A function as operators see it: its settings as they are written, without the secrets among them (P9). */
export function toFunctionView({ name, entry }: KnownFunction) {
  const { source, settings } = entry;
  const { webhook, ...others } = settings;
  const url = withoutCredentials(settings.url);
  return {
    name,
    source,
    paused: isPaused(entry),
    ...others,
    ...(isMap(webhook) && { webhook: withoutToken(webhook) }),
    url,
    queue: settings.queue ?? defaultQueue,
  };
}

/** A webhook without `verifyToken` keeps that of the stored one, so that clients can write back what they read. */
export function keptWebhook(
  { webhook }: FunctionSettings,
  there: FunctionSettings | undefined,
): Pick<FunctionSettings, 'webhook'> {
  const before = there?.webhook;
  return isMap(webhook) && isMap(before) && 'verifyToken' in before
    ? { webhook: { verifyToken: before.verifyToken, ...webhook } }
    : {};
}

function withoutToken(webhook: object): object {
  return Object.fromEntries(Object.entries(webhook).filter(([key]) => key !== 'verifyToken'));
}

function withoutCredentials(url: string): string {
  return /^[^/]*\/\/[^/]*@/.test(url) ? displayUrl(url) : url;
}

function isMap(value: unknown): value is object {
  return typeof value === 'object' && value !== null;
}
