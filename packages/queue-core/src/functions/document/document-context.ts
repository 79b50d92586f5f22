import type { Variables } from '@asyncfn/checked-yaml';

/** What the meaning of a file depends on, beside its text. */
export interface DocumentContext {
  /** Fills in `${NAME}`. Default: it stays as it is. */
  readonly variables?: Variables | undefined;
  /** The gateway of a `stack.yaml` that names none: `OPENFAAS_URL`. Default: such a stack is refused. */
  readonly openfaasUrl?: string | undefined;
  /**
   * The namespace that may be left out of a function's name: `DEFAULT_NAMESPACE`. Default: that of OpenFaaS for what a
   * `stack.yaml` or an annotation of OpenFaaS brings, and none for all else.
   */
  readonly defaultNamespace?: string | undefined;
}
