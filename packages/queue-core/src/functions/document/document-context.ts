import type { Variables } from '@asyncfn/checked-yaml';

/** What a file means depends on where it is read. */
export interface DocumentContext {
  /** Fills in `${NAME}`. Default: it stays as it is. */
  readonly variables?: Variables | undefined;
  /** The gateway of a `stack.yaml` that names none: `OPENFAAS_URL`. Default: such a stack is refused. */
  readonly openfaasUrl?: string | undefined;
}
