import { computed, effect, signal } from '@preact/signals';
import { ApiProblem, api, read, token } from '../api/index.ts';

/** What a token may be used for. `admin` includes the others. */
export type Scope = 'invoke' | 'read' | 'admin';

interface Identity {
  /** Name of the token; undefined at a gateway without tokens. */
  readonly name?: string | undefined;
  readonly scopes: readonly string[];
  readonly needsToken: boolean;
  readonly version: string;
}

type Access =
  | { readonly kind: 'unknown' }
  | { readonly kind: 'known'; readonly identity: Identity }
  | { readonly kind: 'token-wanted'; readonly refused: boolean }
  | { readonly kind: 'failed'; readonly problem: ApiProblem };

const state = signal<Access>({ kind: 'unknown' });

/** Who uses the console, as far as the gateway has said. */
export const access = computed(() => state.value);

/** Whether the caller may do what needs the scope. What it may not do, the console does not offer. */
export function may(scope: Scope): boolean {
  const known = state.value;
  return known.kind === 'known' && known.identity.scopes.includes(scope);
}

/** Asks the gateway now, and again whenever another token is used. Returns what ends that. */
export function followAccess(): () => void {
  return effect(() => {
    const secret = token.value;
    void askGateway(secret);
  });
}

/** Whether the last token was refused, rather than none sent. */
let refused = false;

/** Asks again, as after a failure. */
export async function askGateway(secret = token.peek()): Promise<void> {
  try {
    const identity = await read(api.GET('/system/token'));
    if (secret === token.peek()) {
      refused = false;
      state.value = { kind: 'known', identity };
    }
  } catch (error) {
    // The answer for a token that was replaced meanwhile says nothing. One that was refused is already forgotten.
    if (token.peek() === undefined || secret === token.peek()) {
      state.value = toAccess(ApiProblem.from(error), secret);
    }
  }
}

function toAccess(problem: ApiProblem, secret: string | undefined): Access {
  if (problem.status !== 401) {
    return { kind: 'failed', problem };
  }
  refused = refused || secret !== undefined;
  return { kind: 'token-wanted', refused };
}
