import { defaultQueue, type KnownFunction } from '@asyncfn/queue-core/functions';
import { displayUrl } from '@asyncfn/service-kit';

/** A function as operators see it: its settings as they are written, without the credentials in its URL (P9). */
export function toFunctionView({ name, entry }: KnownFunction) {
  const { source, paused, settings } = entry;
  const url = withoutCredentials(settings.url);
  return { name, source, paused, ...settings, url, queue: settings.queue ?? defaultQueue };
}

function withoutCredentials(url: string): string {
  return /^[^/]*\/\/[^/]*@/.test(url) ? displayUrl(url) : url;
}
