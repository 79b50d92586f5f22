import type { IncomingMessage } from 'node:http';
import type { OwnHosts } from '@asyncfn/service-kit';
import type { Token } from '@asyncfn/tokens';
import { anyone, type Caller, hasScope, type Scope } from '@asyncfn/tokens';
import { type Refusal, refusal } from '../problem.ts';
import { type Authentication, authenticate } from './authenticate.ts';
import { checkHostIsOurs, checkOriginIsOurs } from './foreign-request.ts';

export interface GatekeeperOptions {
  /** The current tokens; undefined if anyone may do everything. */
  readonly tokens: (() => readonly Token[]) | undefined;
  /** The names by which a gateway without tokens may be called. */
  readonly ownHosts: OwnHosts;
  /** Counts a request of a caller with a rate limit. Resolves to the seconds to wait if the limit is exceeded. */
  readonly countRequest: (caller: Caller) => Promise<number | undefined>;
}

/** Decides who may use a route, before anything else of the request is checked. */
export class Gatekeeper {
  readonly #options: GatekeeperOptions;

  constructor(options: GatekeeperOptions) {
    this.#options = options;
  }

  /** Identifies the caller. Refuses requests that a browser sends for a page of another origin. */
  identify(request: IncomingMessage): { readonly kind: 'caller'; readonly caller: Caller } | Refusal {
    const { tokens, ownHosts } = this.#options;
    const known = tokens?.();
    if (known === undefined) {
      return checkHostIsOurs(request, ownHosts) ?? checkOriginIsOurs(request) ?? everybody;
    }
    const authenticated = authenticate(authorizationOf(request.rawHeaders), known, Date.now());
    if (authenticated.kind === 'refused') {
      return unauthorized(authenticated.why);
    }
    // A page can send a token as Bearer only if it knows the token.
    const refused = authenticated.scheme === 'basic' ? checkOriginIsOurs(request) : undefined;
    return refused ?? { kind: 'caller', caller: authenticated.token };
  }

  /** The submitter of a request before authorization. All requests that will be refused share one submitter. */
  submitterOf(request: IncomingMessage): string {
    const identified = this.identify(request);
    return identified.kind === 'caller' ? (identified.caller.name ?? '') : refusedSubmitter;
  }

  /** Refuses a caller without the scope of a route. No caller has the scope `undefined`. */
  refuseScope(caller: Caller, scope: Scope | 'caller' | undefined): Refusal | undefined {
    if (scope === 'caller' || (scope !== undefined && hasScope(caller, scope))) {
      return undefined;
    }
    const wanted = scope ?? 'none';
    return refusal('forbidden', `This requires a token with the scope ${wanted}.`, {
      'WWW-Authenticate': `Bearer realm="asyncfn", error="insufficient_scope", scope="${wanted}"`,
    });
  }

  /** To be called once a request, for callers with a `rate`. */
  async refuseExcess(caller: Caller): Promise<Refusal | undefined> {
    const seconds = await this.#options.countRequest(caller);
    return seconds === undefined ? undefined : rateLimited(seconds);
  }
}

/** No token can have this name. */
const refusedSubmitter = '~';

const everybody = { kind: 'caller', caller: anyone } as const;

function authorizationOf(rawHeaders: readonly string[]): string[] {
  return rawHeaders.filter((_, at) => at % 2 === 1 && rawHeaders[at - 1]?.toLowerCase() === 'authorization');
}

type Why = Extract<Authentication, { kind: 'refused' }>['why'];

const details: Readonly<Record<Why, string>> = {
  missing: 'Send a token of this gateway, for example as "Authorization: Bearer TOKEN".',
  unreadable: 'Authorization must be sent once, as Bearer TOKEN or as Basic with the name of the token and the token.',
  unknown: 'The token is not known.',
  expired: 'The token has expired.',
};

/** RFC 6750, 3, and RFC 7617, 2. */
function unauthorized(why: Why): Refusal {
  const bearer = why === 'missing' ? 'Bearer realm="asyncfn"' : 'Bearer realm="asyncfn", error="invalid_token"';
  const challenge = { 'WWW-Authenticate': `${bearer}, Basic realm="asyncfn", charset="UTF-8"` };
  return { ...refusal('unauthorized', details[why], challenge), reason: why };
}

function rateLimited(seconds: number): Refusal {
  return refusal('rate_limited', 'The token has used up its rate limit.', {
    'Retry-After': String(Math.max(1, seconds)),
  });
}
