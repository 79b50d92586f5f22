import type { Found, Variables } from '@asyncfn/checked-yaml';
import type { ScheduleSettings } from '../../schedules/index.ts';
import type { WebhookChecks } from '../webhook/index.ts';

/** What the meaning of a file depends on, besides its text. */
export interface DocumentContext {
  /** Fills in `${NAME}`. Default: it stays as it is. */
  readonly variables?: Variables | undefined;
  /** The gateway of a `stack.yaml` that names none: `OPENFAAS_URL`. Default: such a stack is refused. */
  readonly openfaasUrl?: string | undefined;
  /**
   * The namespace that may be omitted from a function's name: `DEFAULT_NAMESPACE`. Default: that of OpenFaaS for
   * functions of a `stack.yaml` or with an annotation of OpenFaaS, and none for all others.
   */
  readonly defaultNamespace?: string | undefined;
  /** What a gateway checks about webhooks, and other processes cannot know. Default: nothing. */
  readonly webhooks?: WebhookChecks | undefined;
  /**
   * The problems of the calls of a schedule, which only a gateway knows; the keys are those of its settings. Asked about
   * settings without other problems. Default: none.
   */
  readonly callProblems?: ((settings: ScheduleSettings) => Found[]) | undefined;
}
