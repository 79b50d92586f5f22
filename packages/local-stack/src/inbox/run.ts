import { signingSecretType } from '@asyncfn/queue-core/webhook';
import {
  hostPatternType,
  integer,
  listOf,
  OwnHosts,
  processConfig,
  readVersion,
  runProcess,
  text,
} from '@asyncfn/service-kit';
import { HttpListener } from '../http-listener.ts';
import { createInbox } from './inbox.ts';

/** The callback inbox as a process of its own. */
const schema = {
  host: text({ env: 'HOST', default: '0.0.0.0', doc: 'Address to listen on.' }),
  port: integer({ env: 'PORT', default: 8090, max: 65_535, doc: 'Port to listen on; 0 picks a free one.' }),
  signingSecrets: listOf(signingSecretType, {
    env: 'INBOX_SIGNING_SECRETS',
    secret: true,
    default: [],
    doc: 'Secrets that may have signed a callback. Default: none, so that no signature is valid.',
  }),
  allowedHosts: listOf(hostPatternType, {
    env: 'ALLOWED_HOSTS',
    default: [],
    doc: 'Names by which it may be called by those who want to see callbacks, besides loopback names and its address.',
  }),
  ...processConfig,
};

/** Runs the inbox until it is stopped. */
export async function run(process: NodeJS.Process): Promise<void> {
  await runProcess({
    process,
    name: 'inbox',
    version: readVersion(new URL('..', import.meta.url).href),
    schema,
    create: ({ host, port, signingSecrets, allowedHosts }, { logger }) => {
      const bind = { host, port, variable: 'PORT', what: 'callback inbox' };
      const ownHosts = new OwnHosts(allowedHosts);
      return new HttpListener({ handler: createInbox({ logger, signingSecrets, ownHosts }), bind, logger });
    },
  });
}
