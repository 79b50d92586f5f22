import { AsyncfnClient } from '@asyncfn/client';
import type { Common } from './options/index.ts';
import { resolveTarget } from './profile/index.ts';
import { type Terminal, toPrintable } from './terminal/index.ts';

/** What commands work with: the process around them, in the parts that they use. */
export interface Session {
  readonly process: NodeJS.Process;
  readonly terminal: Terminal;
  readonly version: string;
  /** Aborts at Ctrl-C. */
  readonly signal: AbortSignal;
  readonly now: () => number;
  /** The gateway that was asked last, for error messages. */
  gateway?: string;
}

/** A try that fails is repeated for as long as a restart of a gateway takes, not for longer: a person waits. */
const retry = { attempts: 4, minWaitMs: 100, maxElapsedMs: 3_000 };

/** A client of the gateway that the options, the environment or the profile name. */
export async function openClient(session: Session, options: Common): Promise<AsyncfnClient> {
  const { process, terminal } = session;
  const { url, token, warnings } = await resolveTarget(options, process.env);
  session.gateway = url;
  for (const warning of warnings) {
    terminal.say(terminal.paintSaid('yellow', `warning: ${toPrintable(warning)}`));
  }
  return new AsyncfnClient({ url, retry, ...(token !== undefined && { token }) });
}
